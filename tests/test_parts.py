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


def test_a_part_to_test_on():
    part, wanted = (100, 225), parts.ExcerptConfig
    assert parts.excerpt(500, part, True, wanted()) == (225, 500)
    assert parts.excerpt(500, part, True, wanted(seconds=4)) == (225, 325)
    assert parts.excerpt(500, part, True, wanted(start_s=0, seconds=4)) == (0, 100)
    assert parts.excerpt(500, part, False, wanted(start_s=1)) == (25, 500)
    assert parts.excerpt(500, part, False, wanted(start_s=18, seconds=10)) == (450, 500)


@pytest.mark.parametrize(
    ("wanted", "same_clip", "message"),
    [
        ({"start_s": 20}, False, "begins at 20 s but the clip has 20.0 s"),
        ({"start_s": 0}, True, r"0 to 20 s overlaps the adaptation part \(4 to 9 s\)"),
        ({"start_s": 8, "seconds": 3}, True, "overlaps"),
    ],
)
def test_a_part_that_is_not_there_or_was_seen_is_refused(wanted, same_clip, message):
    with pytest.raises(FootageError, match=message):
        parts.excerpt(500, (100, 225), same_clip, parts.ExcerptConfig(**wanted))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_ping_pong_never_jumps(count):
    frames = parts.ping_pong(10, 10 + count, 37)
    assert len(frames) == 37 and frames.min() == 10 and frames.max() == 9 + count
    assert np.abs(np.diff(frames)).max(initial=0) <= 1
