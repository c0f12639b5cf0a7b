import json
from pathlib import Path

import numpy as np
import pytest

from emotag.emotion import face_api
from emotag.errors import ArtifactMismatch

ASSETS = Path(__file__).parents[2] / "data/assets"


def bundle(folder: Path) -> tuple[Path, Path]:
    coding = {"dtype": "uint8", "scale": 0.5, "min": -3.0}
    weights = [
        {"name": "a", "shape": [2, 3], "dtype": "float32", "quantization": coding},
        {"name": "b", "shape": [2], "dtype": "float32"},
    ]
    (folder / "m.json").write_text(json.dumps([{"weights": weights, "paths": ["m.bin"]}]))
    (folder / "m.bin").write_bytes(np.arange(6, dtype=np.uint8).tobytes() + np.array([1.5, -2], "<f4").tobytes())
    return folder / "m.bin", folder / "m.json"


def test_quantised_and_plain_weights(tmp_path):
    found = face_api.load(*bundle(tmp_path))
    np.testing.assert_allclose(found["a"], np.arange(6).reshape(2, 3) * 0.5 - 3)
    np.testing.assert_allclose(found["b"], [1.5, -2])


@pytest.mark.parametrize("change", [lambda raw: raw[:-1], lambda raw: raw + b"\0"])
def test_files_that_do_not_fit_are_refused(tmp_path, change):
    data, manifest = bundle(tmp_path)
    data.write_bytes(change(data.read_bytes()))
    with pytest.raises(ArtifactMismatch, match="lays out"):
        face_api.load(data, manifest)


def test_classes_are_mapped_to_our_order():
    theirs = ["neutral", "happy", "sad", "angry", "fear", "disgust", "surprise"]
    assert [theirs[i] for i in face_api.ORDER] == ["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]


def test_network_file():
    data = ASSETS / "face_expression_model.bin"
    if not data.is_file():
        pytest.skip("face_expression_model.bin is not in data/assets (optional)")
    weights = face_api.load(data, ASSETS / "face_expression_model-weights_manifest.json")
    frames = [np.full((60, 60, 3), level, np.uint8) for level in (0, 120)]
    points = np.random.default_rng(0).uniform(5, 55, (2, 478, 3))
    found = face_api.probabilities(weights, frames, points)
    assert found.shape == (2, 7)
    np.testing.assert_allclose(found.sum(1), 1, atol=1e-5)
