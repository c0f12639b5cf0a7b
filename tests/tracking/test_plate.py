"""The plate: the real head cannot show through, and what was seen behind it comes back."""

import numpy as np
import pytest

from emotag.tracking import plate, regions

SIZE = 64


@pytest.fixture
def clip():
    """A head (a square) that moves over a patterned wall."""
    rng = np.random.default_rng(0)
    wall = np.repeat(np.repeat(rng.integers(0, 255, (8, 8, 3)), 8, 0), 8, 1).astype(np.uint8)
    frames, labels = [], []
    for left in (10, 20, 34):
        label = np.zeros((SIZE, SIZE), np.uint8)
        label[20:40, left : left + 12] = regions.INDEX["skin"]
        frame = wall.copy()
        frame[label > 0] = 200
        frames.append(frame)
        labels.append(label)
    return wall, frames, labels


def make(frames, labels):
    pairs = list(zip(frames, labels, strict=True))
    return list(plate.plate_frames(pairs, pairs, 2))


def test_noise_in_the_head_changes_nothing(clip):
    _, frames, labels = clip
    rng = np.random.default_rng(1)
    noisy = [
        np.where(label[..., None] > 0, rng.integers(0, 255, frame.shape), frame)
        for frame, label in zip(frames, labels, strict=True)
    ]
    for a, b in zip(make(frames, labels), make([n.astype(np.uint8) for n in noisy], labels), strict=True):
        np.testing.assert_array_equal(a, b)


def test_what_other_frames_show_comes_back(clip):
    wall, frames, labels = clip
    for made in make(frames, labels):
        assert np.abs(made.astype(int) - wall).max() <= 1


def test_what_no_frame_shows_is_filled_from_around():
    label = np.zeros((SIZE, SIZE), np.uint8)
    label[20:40, 20:40] = regions.INDEX["hair"]
    frame = np.full((SIZE, SIZE, 3), 120, np.uint8)
    frame[label > 0] = 0
    np.testing.assert_allclose(make([frame], [label])[0], 120, atol=1)


def test_push_pull_keeps_what_is_known():
    rng = np.random.default_rng(2)
    image, known = rng.random((33, 47, 3)).astype(np.float32), rng.random((33, 47)) > 0.5
    filled = plate.push_pull(image, known)
    np.testing.assert_array_equal(filled[known], image[known])
    assert np.isfinite(filled).all() and filled.min() >= 0 and filled.max() <= 1
