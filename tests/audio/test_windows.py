import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from emotag.audio.windows import frame_times, reach, sample


@given(st.floats(-0.5, 2.5), st.integers(1, 16))
def test_a_straight_line_is_sampled_exactly_and_its_ends_repeated(moment, taps):
    values = np.arange(100, dtype=np.float64)[:, None] / 50  # token k stands for k/50 s
    window = sample(values, np.array([moment]), taps, 0.02)
    expected = np.clip(moment + (np.arange(taps) - (taps - 1) / 2) * 0.02, 0, 99 / 50)
    np.testing.assert_allclose(window[0, :, 0], expected, atol=1e-9)


def test_an_odd_window_has_its_middle_at_the_moment():
    values = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    window = sample(values, np.array([0.3, 0.5]), 7, 0.04)
    assert window.shape == (2, 7, 3) and window.dtype == np.float32
    np.testing.assert_allclose(window[:, 3], values[[15, 25]], rtol=1e-6)


def test_a_late_video_shows_earlier_sound():
    np.testing.assert_allclose(frame_times(np.array([10]), 2.5), [0.3])


def test_one_token_is_enough():
    np.testing.assert_allclose(sample(np.ones((1, 2)), np.array([0.0, 3.0]), 3), np.ones((2, 3, 2)))


@given(st.lists(st.floats(-1, 4), min_size=1, max_size=5), st.integers(1, 16), st.integers(1, 120))
def test_what_windows_reach_gives_the_same_bits_as_the_whole(moments, taps, total):
    values = np.random.default_rng(total).normal(size=(total, 2)).astype(np.float32)
    times = np.array(moments)
    rows = reach(times, taps, 0.02, total)
    part = sample(values[rows], times, taps, 0.02, rows.start, total)
    assert np.array_equal(part, sample(values, times, taps, 0.02))
