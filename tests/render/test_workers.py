import threading

import numpy as np
import pytest

from emotag.render.workers import Workers


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_every_range_is_worked_once(threads):
    seen = np.zeros(103, int)

    def kernel(start, stop, out):
        out[start:stop] += 1

    workers = Workers(threads)
    for bounds in (workers.split(103), np.array([0, 1, 7, 50, 103]), np.array([0, 103])):
        seen[:] = 0
        workers.over(bounds, kernel, seen)
        assert (seen == 1).all()


def test_two_threads_work_at_once():
    meeting = threading.Barrier(2, timeout=10)
    Workers(2).over(np.array([0, 1, 2]), lambda start, stop: meeting.wait())


def test_nothing_to_do():
    Workers(3).over(np.array([0]), lambda start, stop: pytest.fail("called"))


@pytest.mark.parametrize("threads", [1, 3])
def test_errors_reach_the_caller(threads):
    def kernel(start, stop):
        raise ValueError(f"range {start}")

    with pytest.raises(ValueError, match="range"):
        Workers(threads).over(np.array([0, 1, 2, 3]), kernel)
