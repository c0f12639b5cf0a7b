"""Threads for kernels that release the interpreter's lock."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from emotag.render.native import Kernel


class Workers:
    """Runs a kernel over ranges of items on `threads` threads."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        # The calling thread works too: one wake-up fewer a call.
        self._pool = ThreadPoolExecutor(threads - 1, "kernel") if threads > 1 else None

    def over(self, bounds: np.ndarray, kernel: Callable, *arguments: Any) -> None:
        """Call `kernel(start, stop, *arguments)` for each pair of neighbours in `bounds`."""
        ranges = list(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True))
        bound = kernel.bound(arguments) if isinstance(kernel, Kernel) else lambda *ends: kernel(*ends, *arguments)
        waiting = iter(ranges)

        def work() -> None:
            # Taking the next of a list's iterator is one step under the interpreter's lock.
            for start, stop in waiting:
                bound(start, stop)

        helpers = min(self.threads, len(ranges)) - 1 if self._pool else 0
        others = [self._pool.submit(work) for _ in range(helpers)]
        try:
            work()
        finally:
            # A helper that has not begun by now has nothing left to do: on a busy machine waiting for it costs most.
            running = [other for other in others if not other.cancel()]
            if running:
                wait(running)
        for other in running:
            other.result()

    def split(self, items: int) -> np.ndarray:
        """Bounds of equal ranges, one a thread."""
        return np.array([items * part // self.threads for part in range(self.threads + 1)])

    def split_tiles(self, tile_starts: np.ndarray) -> np.ndarray:
        """Bounds of ranges of tiles with about equally long lists, a few a thread to even out what lists do not say."""
        if self.threads == 1:
            return np.array([0, len(tile_starts) - 1])
        work = tile_starts + 4 * np.arange(len(tile_starts))
        parts = np.linspace(0, work[-1], 8 * self.threads + 1)
        bounds = np.searchsorted(work, parts)
        bounds[0], bounds[-1] = 0, len(tile_starts) - 1
        return np.unique(bounds)
