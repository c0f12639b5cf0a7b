import struct

import numpy as np
import pytest

from emotag.audio import ctranslate2
from emotag.errors import ArtifactMismatch, AssetMissing

KINDS = {np.dtype("<f4"): 0, np.dtype("<i2"): 2, np.dtype("<f2"): 4}


def string(text: str) -> bytes:
    return struct.pack("<H", len(text) + 1) + text.encode() + b"\0"


def write(path, arrays: dict[str, np.ndarray], version: int = 6) -> None:
    """A model file of the true format, aliases included."""
    data = struct.pack("<I", version) + string("WhisperSpec") + struct.pack("<2I", 3, len(arrays))
    for name, array in arrays.items():
        data += string(name) + struct.pack("<B", array.ndim) + struct.pack(f"<{array.ndim}I", *array.shape)
        data += struct.pack("<BI", KINDS[array.dtype], array.nbytes) + array.tobytes()
    path.write_bytes(data + struct.pack("<I", 1) + string("decoder/a") + string("decoder/b"))


def some_arrays() -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        "decoder/weight": random.normal(size=(3, 2)).astype("<f4"),
        "encoder/bias": random.normal(size=5).astype("<f2"),
        "encoder/num_heads": np.array(6, "<i2"),
    }


def test_arrays_come_back_and_others_are_skipped(tmp_path):
    arrays = some_arrays()
    write(tmp_path / "model.bin", arrays)
    found = ctranslate2.read(tmp_path / "model.bin", "encoder/")
    assert list(found) == ["encoder/bias", "encoder/num_heads"]
    for name, array in found.items():
        np.testing.assert_array_equal(array, arrays[name])


def test_other_versions_cut_files_and_missing_ones_are_refused(tmp_path):
    path = tmp_path / "model.bin"
    with pytest.raises(AssetMissing, match="model.bin does not exist"):
        ctranslate2.read(path)
    write(path, some_arrays(), version=5)
    with pytest.raises(ArtifactMismatch, match="version 5, expected 6"):
        ctranslate2.read(path)
    write(path, some_arrays())
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ArtifactMismatch, match="cut off"):
        ctranslate2.read(path)
