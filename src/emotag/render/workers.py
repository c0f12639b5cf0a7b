"""Threads for kernels that release the interpreter's lock."""

import weakref
from collections.abc import Callable, Iterator
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any

import numpy as np

from emotag.render.native import Kernel

Work = Callable[[int, int], None]
# Ranges a thread into which equal work is cut: what one of them is late with, another takes over.
PARTS = 4
# How many Gaussians a range has at most, so that what one kernel leaves is in the cache when the next one comes, and how many
# it has at least, so that the call is not what costs.
MOST, LEAST = 8192, 2048


class _Call:
    """Work that is offered to another thread; whoever takes `claim` does it, or sees to it that nobody does."""

    def __init__(self, work: Callable[[], None]) -> None:
        self.work, self.error = work, None
        self.claim, self.done = Lock(), Lock()
        self.done.acquire()


def _serve(calls: SimpleQueue) -> None:
    """What a thread does until it is dismissed with None."""
    while (call := calls.get()) is not None:
        if call.claim.acquire(blocking=False):
            try:
                call.work()
            except BaseException as error:
                call.error = error
            call.done.release()
        # Nothing of the call is to be kept in memory until the next one.
        del call


def _dismiss(calls: SimpleQueue, count: int) -> None:
    for _ in range(count):
        calls.put(None)


def bound(kernel: Callable, *arguments: Any) -> Work:
    """`kernel(start, stop, *arguments)` as a function of the range alone."""
    return kernel.bound(arguments) if isinstance(kernel, Kernel) else lambda *ends: kernel(*ends, *arguments)


class Workers:
    """Runs kernels over ranges of items on `threads` threads, of which the caller's is one."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._calls: SimpleQueue = SimpleQueue()
        # Own threads in place of an executor's: a call wakes them some ten times, and each time counts.
        for _ in range(threads - 1):
            Thread(target=_serve, args=(self._calls,), name="kernel", daemon=True).start()
        weakref.finalize(self, _dismiss, self._calls, threads - 1)

    def over(self, bounds: np.ndarray, kernel: Callable, *arguments: Any) -> None:
        """Call `kernel(start, stop, *arguments)` for each pair of neighbours in `bounds`."""
        self.together((bounds, bound(kernel, *arguments)))

    def together(self, *jobs: tuple[np.ndarray, Work]) -> None:
        """Call `work(start, stop)` for the ranges of each job `(bounds, work)`; jobs must not need each other."""
        ranges = [
            (work, start, stop)
            for bounds, work in jobs
            for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)
        ]
        helpers = min(self.threads, len(ranges)) - 1
        waiting = iter(ranges)
        others = [_Call(lambda: _work(waiting)) for _ in range(helpers)]
        for other in others:
            self._calls.put(other)
        try:
            _work(waiting)
        finally:
            # Who has not begun by now has nothing left to do: on a busy machine waiting for it costs most.
            running = [other for other in others if not other.claim.acquire(blocking=False)]
            for other in running:
                other.done.acquire()
        for other in running:
            if other.error is not None:
                raise other.error

    def split(self, items: int) -> np.ndarray:
        """Bounds of equal ranges, a few a thread."""
        parts = 1 if self.threads == 1 else PARTS * self.threads
        return np.arange(parts + 1) * items // parts

    def split_gaussians(self, items: int) -> np.ndarray:
        """Bounds of equal ranges of at most `MOST` items, and a few a thread if there are enough."""
        parts = max(-(-items // MOST), min(-(-items // LEAST), 1 if self.threads == 1 else PARTS * self.threads), 1)
        return np.arange(parts + 1) * items // parts

    def split_tiles(self, tile_starts: np.ndarray) -> np.ndarray:
        """Bounds of ranges of tiles with about equally long lists, a few a thread to even out what lists do not say."""
        if self.threads == 1:
            return np.array([0, len(tile_starts) - 1])
        work = tile_starts + 4 * np.arange(len(tile_starts))
        parts = np.linspace(0, work[-1], 8 * self.threads + 1)
        bounds = np.searchsorted(work, parts)
        bounds[0], bounds[-1] = 0, len(tile_starts) - 1
        return np.unique(bounds)


def _work(waiting: Iterator[tuple[Work, int, int]]) -> None:
    # Taking the next of a list's iterator is one step under the interpreter's lock.
    for work, start, stop in waiting:
        work(start, stop)
