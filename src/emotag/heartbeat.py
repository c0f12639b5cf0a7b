"""Tells of a running job, for `python -m emotag watch`: a line every few seconds in a file of its own, removed at its end.

Files are all that a machine may know of another's jobs. One that was killed leaves its file, which then grows no more; the
next try of the job begins it anew. Lines hold times and hosts, so the files lie with the states, beside no result.
"""

import hashlib
import json
import os
import resource
import socket
import threading
import time
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager, suppress
from io import TextIOBase
from pathlib import Path

# Where the rules let jobs say that they run, and the variable by which they do.
FOLDER = "results/state/running"
VARIABLE = "EMOTAG_RUNNING"
EVERY_S = 10.0


@contextmanager
def heartbeat(
    stage: str, out: Path | str, environment: MutableMapping[str, str] = os.environ, every_s: float = EVERY_S
) -> Iterator[None]:
    """Write `{stage, out, seconds, peak_mb, host, pid}` every `every_s` into a file of the folder that the environment names.

    `out`: an output, which says whose job it is. Nothing is written where no folder is named, and none of it is a reason to
    fail: a full or read-only disk is told by what the job itself writes.
    """
    folder, handle = environment.get(VARIABLE), None
    path = Path(folder or "", f"{stage}-{hashlib.sha256(str(out).encode()).hexdigest()[:16]}.jsonl")
    ended, began = threading.Event(), time.monotonic()

    def beat() -> None:
        while True:
            with suppress(OSError):
                handle.write(line(stage, out, time.monotonic() - began))
                handle.flush()
            if ended.wait(every_s):
                return

    beating = threading.Thread(target=beat, daemon=True)
    # A signal to end may come at any moment from here on.
    try:
        if folder:
            # No thread to be had is a RuntimeError.
            with suppress(OSError, RuntimeError):
                path.parent.mkdir(parents=True, exist_ok=True)
                # A killed try's file stays whole for one that still writes it: an orphan's lines go nowhere then.
                path.unlink(missing_ok=True)
                handle = path.open("x", encoding="utf-8")
                beating.start()
        yield
    finally:
        ended.set()
        if beating.is_alive():
            beating.join()
        if handle:
            with suppress(OSError):
                remove(path, handle)


def line(stage: str, out: Path | str, seconds: float) -> str:
    """One line of JSON: whose job, how long it runs, the most memory it has held, where."""
    # Kilobytes on Linux.
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    told = {"stage": stage, "out": str(out), "seconds": round(seconds, 1), "peak_mb": peak_mb}
    return json.dumps({**told, "host": socket.gethostname(), "pid": os.getpid()}, sort_keys=True) + "\n"


def remove(path: Path, handle: TextIOBase) -> None:
    """Close the file and remove it, unless another try of the job has one there by now."""
    own = os.fstat(handle.fileno())
    with suppress(FileNotFoundError):
        if os.path.samestat(own, path.stat()):
            path.unlink()
    handle.close()
