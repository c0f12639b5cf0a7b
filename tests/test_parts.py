"""The split of a clip and the loop of its cues."""

import numpy as np
import pytest

from emotag import parts
from emotag.errors import FootageError


def test_first_five_seconds_and_the_rest():
    part = parts.adaptation_part(500, 0, 5)
    assert part == (0, 125) and parts.test_part(500, part, True) == (125, 500)
    assert parts.test_part(80, part, False) == (0, 80)


def test_a_short_clip_keeps_a_third_for_the_test():
    assert parts.adaptation_part(126, 0, 5) == (0, 84)
    assert parts.adaptation_part(150, 0, 5) == (0, 125)


def test_a_start_behind_the_end_is_refused():
    with pytest.raises(FootageError, match="start_s"):
        parts.adaptation_part(100, 5, 5)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_ping_pong_never_jumps(count):
    frames = parts.ping_pong(10, 10 + count, 37)
    assert len(frames) == 37 and frames.min() == 10 and frames.max() == 9 + count
    assert np.abs(np.diff(frames)).max(initial=0) <= 1
