"""Features given as arrays, in the three layouts tools write."""

import numpy as np
import pytest

from emotag.audio.given import GivenFeatures
from emotag.audio.windows import frame_windows
from emotag.errors import ArtifactMismatch, AssetMissing

SECONDS = 4.0
SAMPLES = np.zeros(int(SECONDS * 16000), np.float32)
SERIES = np.random.default_rng(0).normal(size=(200, 29)).astype(np.float32)


def read(tmp_path, array):
    np.save(tmp_path / "clip.npy", array)
    return GivenFeatures(tmp_path).features(SAMPLES, "clip")


def test_windows_by_hand():
    """Frame 10 sees tokens 12 to 27; before the first and behind the last token the edge is repeated."""
    windows = frame_windows(np.arange(200.0)[:, None], 100)[..., 0]
    assert windows[10].tolist() == list(range(12, 28))
    assert windows[0].tolist() == [0] * 8 + list(range(8))
    assert windows[99].tolist() == [*range(190, 200), *[199] * 6]


def test_a_50_hz_series_is_taken_as_it_is(tmp_path):
    np.testing.assert_array_equal(read(tmp_path, SERIES), SERIES)
    np.testing.assert_array_equal(read(tmp_path, SERIES[:-1].astype(np.float64)), SERIES[:-1])
    np.testing.assert_array_equal(GivenFeatures(tmp_path / "clip.npy").features(SAMPLES, "any"), SERIES[:-1])


def test_a_25_hz_series_is_halfway_between_frames(tmp_path):
    values = np.arange(100, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(read(tmp_path, values)[:, 0], np.minimum(np.arange(200) / 2, 99))


@pytest.mark.parametrize("edge", ["edge", "constant"])
def test_windows_give_back_the_series_they_were_cut_from(tmp_path, edge):
    padded = np.pad(SERIES, ((8, 8), (0, 0)), mode=edge)
    windows = np.stack([padded[2 * t : 2 * t + 16] for t in range(100)])
    np.testing.assert_array_equal(read(tmp_path, windows), SERIES)


@pytest.mark.parametrize(
    ("array", "match"),
    [
        (np.random.default_rng(1).normal(size=(100, 16, 3)), "not two tokens apart"),
        (np.zeros((100, 8, 3)), "expected \\[100, 16, D\\]"),
        (np.zeros((150, 3)), "expected 200 .50 Hz. or 100 .25 Hz."),
        (np.full((200, 3), np.nan), "finite numbers"),
        (np.zeros((200, 3), int), "finite numbers"),
        (np.array([{}], dtype=object), "is no array"),
    ],
)
def test_other_arrays_are_refused(tmp_path, array, match):
    with pytest.raises(ArtifactMismatch, match=match):
        read(tmp_path, array)


def test_a_missing_recording_is_named(tmp_path):
    with pytest.raises(AssetMissing, match="other.npy"):
        GivenFeatures(tmp_path).features(SAMPLES, "other")
