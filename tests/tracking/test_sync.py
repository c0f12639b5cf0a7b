import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from emotag.audio.windows import frame_times, sample
from emotag.motion.ridge import Pair, Ridge
from emotag.tracking.sync import estimate

LIPS = np.random.default_rng(3).normal(size=(3, 4))


def talker(seconds: float, late_frames: float, noise: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Smooth random speech features and the lips that follow them, shown `late_frames` too late."""
    random = np.random.default_rng(seed)
    features = gaussian_filter1d(random.normal(size=(int(seconds * 50) + 100, 3)), 4, axis=0) * 3
    frames = np.arange(int(seconds * 25))
    lips = sample(features, frame_times(frames, late_frames))[:, 0] @ LIPS
    return features, lips + noise * lips.std(0) * random.normal(size=lips.shape)


@pytest.fixture(scope="module")
def prior() -> Ridge:
    pairs = []
    for seed in range(6):
        features, lips = talker(30, 0, 0.3, seed)
        pairs.append(Pair(features, frame_times(np.arange(len(lips))), lips))
    return Ridge.fit(pairs, components=3)


@pytest.mark.parametrize("late", [0.0, 0.4, -1.3, 3.7, -6.25])
def test_a_fractional_lag_is_recovered(prior, late):
    features, lips = talker(5, late, 0.7, seed=40)
    found = estimate(prior, features, lips, np.arange(len(lips)))
    assert found.told and found.frames == pytest.approx(late, abs=0.25)
    assert found.peak > 0.6 and found.second_peak < found.peak - 0.3
    assert set(found.correlation) == {"aperture", "width", "jaw"}


def test_a_part_of_the_clip_gives_the_same_lag(prior):
    features, lips = talker(20, 2.2, 0.5, seed=41)
    frames = np.r_[100:160, 170:230]  # frames without a face are left out
    assert estimate(prior, features, lips[frames], frames).frames == pytest.approx(2.2, abs=0.25)


def test_lips_that_also_move_slowly_by_themselves_change_nothing(prior):
    errors = []
    for seed in range(8):
        features, lips = talker(5, -0.8, 0.1, seed=50 + seed)
        moods = gaussian_filter1d(np.random.default_rng(seed).normal(size=lips.shape), 12, axis=0)
        found = estimate(prior, features, lips + lips.std(0) * moods / moods.std(0), np.arange(len(lips)))
        errors.append(found.frames + 0.8)
    assert np.abs(errors).max() < 0.1


def test_scale_and_level_of_the_lips_do_not_matter(prior):
    features, lips = talker(5, 1.5, 0.5, seed=42)
    plain, other = (estimate(prior, features, x, np.arange(len(x))) for x in (lips, lips * [3, 0.1, 1, 9] + 5))
    assert plain.frames == pytest.approx(other.frames, abs=1e-9)


def test_no_offset_is_told_from_lips_of_somebody_else(prior):
    features, _ = talker(20, 0, 0.5, seed=43)
    _, lips = talker(20, 0, 0.5, seed=44)
    found = estimate(prior, features, lips, np.arange(len(lips)))
    assert not found.told and found.frames == 0.0


def test_still_lips_tell_nothing(prior):
    features, lips = talker(5, 0, 0.5, seed=45)
    assert not estimate(prior, features, np.ones_like(lips), np.arange(len(lips))).told
