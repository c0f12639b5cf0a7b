"""A signal that waits for the end of the current step."""

import signal
import threading
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, Self


class Interrupt:
    """While open, notes the first of `signals` in `received` (0 before) instead of ending the process.

    Outside the main thread Python lets nobody set handlers: there the process keeps those it has.
    """

    def __init__(self, signals: Sequence[signal.Signals]) -> None:
        self.received = 0
        self._signals = signals
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._note) for number in self._signals}
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.received = self.received or number

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
