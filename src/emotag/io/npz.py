"""numpy archives: read without objects in them, written without times (the same arrays give the same bytes)."""

import io
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from emotag.errors import ArtifactMismatch, AssetMissing

BEGINNING = (1980, 1, 1, 0, 0, 0)


def npz_bytes(arrays: Mapping[str, np.ndarray]) -> bytes:
    """What `numpy.savez` would write of `arrays`, in the order of their names."""
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", BEGINNING), member.getvalue())
    return whole.getvalue()


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of an archive by name.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, is no archive, or holds anything but arrays.
    """
    if not Path(path).is_file():
        raise AssetMissing(f"{path} does not exist; get it again from where it comes")
    try:
        with np.load(path, allow_pickle=False) as content:
            return {key: content[key] for key in content.files}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile, zlib.error) as error:
        raise ArtifactMismatch(f"{path}: cannot be read as arrays ({error}); get it again") from error
