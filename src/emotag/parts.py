"""Which frames of a clip are adapted on, which are tested on, and how cues are looped under longer audio."""

import numpy as np

from emotag.errors import FootageError
from emotag.types import FPS

SHORTEST_TEST_S = 1.0


def adaptation_part(frames: int, start_s: float, seconds: float, clip: str = "clip") -> tuple[int, int]:
    """[start, stop) of the adaptation part in a clip of `frames` frames.

    Where less than a second would be left behind it, the last third of the clip is held out instead, so that a clip of
    just over five seconds can still be measured on frames it was not fitted to.

    Raises:
        FootageError: the part begins after the clip's end.
    """
    start = round(start_s * FPS)
    stop = start + round(seconds * FPS)
    if start >= frames - 1:
        raise FootageError(
            f"{clip}: adapt_on.start_s is {start_s:g} s but the clip has {frames / FPS:.1f} s; choose an earlier start"
        )
    if frames - stop < SHORTEST_TEST_S * FPS and start == 0:
        stop = min(stop, round(frames * 2 / 3))
    return start, min(stop, frames)


def test_part(frames: int, part: tuple[int, int], same_clip: bool) -> tuple[int, int]:
    """[start, stop) of the frames to test on: all of another clip, or what follows the adaptation part in its own."""
    return (part[1], frames) if same_clip else (0, frames)


def ping_pong(start: int, stop: int, length: int) -> np.ndarray:
    """`length` frame numbers that run through [start, stop) forwards and backwards in turn, so that nothing jumps."""
    count = stop - start
    if count == 1:
        return np.full(length, start)
    phase = np.arange(length) % (2 * count - 2)
    return start + np.where(phase < count, phase, 2 * count - 2 - phase)
