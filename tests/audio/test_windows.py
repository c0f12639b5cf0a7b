import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotag.audio.windows import WINDOWS, between_tokens, frame_times, frame_windows, heard, reach, sample, whole_tokens


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


def by_index(tokens, frames, offset_tokens=0):
    """EmoTaG's and AD-NeRF's windows written out: frame t has tokens 2t - 8 to 2t + 7, the first and last repeated."""
    rows = []
    for t in frames:
        numbers = [min(max(2 * t - offset_tokens + k, 0), len(tokens) - 1) for k in range(-8, 8)]
        rows.append([tokens[number] for number in numbers])
    return np.array(rows)


@pytest.mark.parametrize("count", [1, 9, 40, 101])
def test_windows_of_whole_tokens_are_the_tools(count):
    tokens = np.random.default_rng(count).normal(size=(count, 3)).astype(np.float32)
    frames = np.arange(count // 2 + 2)
    assert np.array_equal(whole_tokens(tokens, frame_times(frames)), by_index(tokens, frames))
    assert np.array_equal(frame_windows(tokens, len(frames)), by_index(tokens, frames))


@pytest.mark.parametrize(("offset_frames", "offset_tokens"), [(1.5, 3), (-2.0, -4), (0.2, 0), (0.3, 1), (-0.4, -1)])
def test_an_offset_moves_windows_by_whole_tokens(offset_frames, offset_tokens):
    tokens = np.random.default_rng(5).normal(size=(80, 2))
    frames = np.arange(40)
    found = whole_tokens(tokens, frame_times(frames, offset_frames))
    assert np.array_equal(found, by_index(tokens, frames, offset_tokens))


@pytest.mark.parametrize("offset", [0.25, 0.75, -0.25, 1.25])
def test_halves_go_the_same_way_in_every_frame(offset):
    tokens = np.arange(3000.0)[:, None]
    found = whole_tokens(tokens, frame_times(np.arange(20, 1400), offset))
    assert (np.diff(found[:, 8, 0]) == 2).all()


def test_windows_between_tokens_are_means_of_two():
    tokens = np.random.default_rng(1).normal(size=(60, 2))
    found = between_tokens(tokens, frame_times(np.array([12])))[0]
    np.testing.assert_allclose(found, (tokens[16:32] + tokens[17:33]) / 2, atol=1e-12)


@pytest.mark.parametrize("cut", sorted(WINDOWS))
def test_windows_of_the_heard_part_are_those_of_the_whole(cut):
    """At the beginning, inside, at the end and beyond it, with offsets of parts of a token."""
    values = np.random.default_rng(0).standard_normal((90, 3)).astype(np.float32)
    for first, last, offset in ((0, 4, 0.0), (10, 20, 0.37), (38, 60, -0.5), (70, 80, 12.25), (-20, -10, 0.1)):
        times = frame_times(np.arange(first, last), offset)
        part = heard(times, len(values))
        whole = WINDOWS[cut](values, times)
        assert np.array_equal(WINDOWS[cut](values[part], times, part.start, len(values)), whole)


@given(st.lists(st.floats(-1, 4), min_size=1, max_size=5), st.integers(1, 16), st.integers(1, 120))
def test_what_windows_reach_gives_the_same_bits_as_the_whole(moments, taps, total):
    values = np.random.default_rng(total).normal(size=(total, 2)).astype(np.float32)
    times = np.array(moments)
    rows = reach(times, taps, 0.02, total)
    part = sample(values[rows], times, taps, 0.02, rows.start, total)
    assert np.array_equal(part, sample(values, times, taps, 0.02))
