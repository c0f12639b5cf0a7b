"""State folder of one training job: fingerprint, lock, atomic checkpoints.

The folder's name is a digest of everything that determines the result, so a checkpoint can only be resumed by the job
it belongs to. One process at a time holds the folder. A checkpoint is a sha256 and a file of tensors and plain values that
loads without running code (`weights_only`).
"""

import fcntl
import hashlib
import io
import json
import logging
import os
import pickle
import socket
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from emotag.errors import StateBusy
from emotag.io.artifact import write_atomic

log = logging.getLogger(__name__)

CHECKPOINT, PREVIOUS = "checkpoint.pt", "previous.pt"
DIGEST_BYTES = hashlib.sha256().digest_size
# As long as the longest training, after which whoever holds the folder is taken to be stuck.
WAIT_S, POLL_S = 48 * 3600.0, 0.5


def fingerprint(settings: Mapping[str, Any], code: Sequence[str], inputs: Sequence[Path]) -> str:
    """16 hexadecimal digits over the settings' JSON, the code's digests and the contents of the input files."""
    digest = hashlib.sha256(json.dumps(settings, sort_keys=True, default=str).encode())
    for line in code:
        digest.update(b"\0code\0" + line.encode())
    for path in inputs:
        with Path(path).open("rb") as file:
            digest.update(b"\0file\0" + hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]


class StateFolder:
    """`root/<fingerprint>/`, locked while open. Use as a context manager.

    The lock is the kernel's (flock): it goes with the process that holds it, however that ends. Who finds it held waits:
    what a trainer without its Snakemake does is what this one would do, and is resumed from where that ends.

    Raises:
        StateBusy: another process still holds the folder after `wait_s`.
    """

    def __init__(self, root: Path, name: str, wait_s: float = WAIT_S) -> None:
        self.path = Path(root) / name
        self.wait_s = wait_s
        self._lock: io.IOBase | None = None

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        handle = (self.path / "lock").open("a+")
        end, told = time.monotonic() + self.wait_s, False
        while not _locked(handle):
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            if time.monotonic() >= end:
                handle.close()
                raise StateBusy(
                    f"{self.path}: held by process {holder}, expected to be free; wait for it to end, or end it, "
                    "and start this job again (it resumes from the last checkpoint)"
                )
            if not told:
                log.warning("%s: held by process %s, which trains the same; waiting until it ends", self.path, holder)
            told = True
            time.sleep(POLL_S)
        handle.truncate(0)
        handle.write(f"{os.getpid()} of {socket.gethostname()}")
        handle.flush()
        self._lock = handle
        for rest in self.path.glob(f".{CHECKPOINT}.*"):
            rest.unlink()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def save(self, content: Mapping[str, Any]) -> None:
        """Write the checkpoint and keep the one before it: whenever this ends, one of the two is whole."""
        buffer = io.BytesIO()
        torch.save(dict(content), buffer)
        data = buffer.getvalue()
        path = self.path / CHECKPOINT
        if path.is_file():
            os.replace(path, self.path / PREVIOUS)
        write_atomic(path, hashlib.sha256(data).digest() + data)

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint that can be read, or None when there is none (training then starts anew)."""
        for path in (self.path / CHECKPOINT, self.path / PREVIOUS):
            if not path.is_file():
                continue
            written = path.read_bytes()
            digest, data = written[:DIGEST_BYTES], written[DIGEST_BYTES:]
            try:
                if hashlib.sha256(data).digest() != digest:
                    raise pickle.UnpicklingError("its content is not what was written")
                return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
            except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
                path.unlink()
                older = (self.path / PREVIOUS).is_file()
                then = "the one before it counts" if older else "training starts anew"
                log.warning("%s cannot be read (%s); it is deleted and %s", path, error, then)
        return None

    @property
    def progress(self) -> Path:
        """Where the job's progress lines go."""
        return self.path / "progress.jsonl"


def _locked(handle: io.IOBase) -> bool:
    """Whether the lock could be had."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
