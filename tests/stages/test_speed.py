"""What is timed: the second run of a sequence, and frames behind the warm-up."""

import pytest

from emotag.stages import speed


@pytest.fixture
def clock(monkeypatch):
    """A clock that only work moves."""
    now = [0.0]
    monkeypatch.setattr(speed.time, "perf_counter", lambda: now[0])
    return now


def test_first_run_is_not_counted(clock):
    seconds = iter([5.0, 0.25])

    def work():
        clock[0] += next(seconds)

    assert speed.timed(work) == 250


@pytest.mark.parametrize("count", [3, 30, 500])
def test_frames_are_counted_behind_the_warm_up(clock, count):
    drawn = []

    def draw(frame):
        clock[0] += 1.0 if len(drawn) < min(speed.WARM_UP, count) else 0.004
        drawn.append(frame)

    assert speed.timed_frames(draw, count) == pytest.approx(4)
    assert max(drawn) < count
