"""Which frames of a clip are adapted on, which are tested on, which stand for all, and how cues are looped under longer
audio."""

import numpy as np

from emotag.config import ExcerptConfig
from emotag.errors import FootageError
from emotag.types import FPS

SHORTEST_TEST_S = 1.0


def adaptation_part(frames: int, start_s: float, seconds: float, clip: str = "clip") -> tuple[int, int]:
    """[start, stop) of the adaptation part in a clip of `frames` frames.

    Where less than a second would be left behind it, the last third of the clip is held out instead, so that a clip of
    just over five seconds can still be measured on frames it was not fitted to.

    Raises:
        FootageError: the part begins after the clip's end or less than a second before.
    """
    start = round(start_s * FPS)
    stop = start + round(seconds * FPS)
    if start >= frames - 1 or (start > 0 and start > frames - FPS):
        raise FootageError(
            f"{clip}: adapt_on.start_s is {start_s:g} s but the clip has {frames / FPS:.1f} s, expected a second at "
            "least behind it; choose an earlier start"
        )
    if frames - stop < SHORTEST_TEST_S * FPS and start == 0:
        stop = min(stop, round(frames * 2 / 3))
    return start, min(stop, frames)


def test_part(frames: int, part: tuple[int, int], same_clip: bool) -> tuple[int, int]:
    """[start, stop) of the frames to test on: all of another clip, or what follows the adaptation part in its own."""
    return (part[1], frames) if same_clip else (0, frames)


def excerpt(frames: int, part: tuple[int, int], same_clip: bool, wanted: ExcerptConfig) -> tuple[int, int]:
    """[start, stop) of the `wanted` frames of a test clip of `frames` frames; `part` and `same_clip` as in `test_part`.

    Raises:
        FootageError: they begin after the clip's end, or some of them were adapted on.
    """
    start, stop = test_part(frames, part, same_clip)
    if wanted.start_s is not None:
        start, stop = round(wanted.start_s * FPS), frames
    if wanted.seconds is not None:
        stop = min(stop, start + round(wanted.seconds * FPS))
    if start >= stop:
        raise FootageError(
            f"test_on: the part begins at {start / FPS:g} s but the clip has {frames / FPS:.1f} s; choose an earlier start_s"
        )
    if same_clip and start < part[1] and part[0] < stop:
        raise FootageError(
            f"test_on: {start / FPS:g} to {stop / FPS:g} s overlaps the adaptation part ({part[0] / FPS:g} to "
            f"{part[1] / FPS:g} s); choose frames that the avatar has not seen"
        )
    return start, stop


def spread(frames: int, count: int) -> np.ndarray:
    """At most `count` different frame numbers, evenly over all `frames`."""
    return np.unique(np.linspace(0, frames - 1, count).round().astype(int))


def ping_pong(start: int, stop: int, length: int) -> np.ndarray:
    """`length` frame numbers that run through [start, stop) forwards and backwards in turn, so that nothing jumps."""
    count = stop - start
    if count == 1:
        return np.full(length, start)
    phase = np.arange(length) % (2 * count - 2)
    return start + np.where(phase < count, phase, 2 * count - 2 - phase)
