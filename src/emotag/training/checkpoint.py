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
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import torch

from emotag.errors import StateBusy
from emotag.io.artifact import write_atomic

log = logging.getLogger(__name__)

CHECKPOINT = "checkpoint.pt"
DIGEST_BYTES = hashlib.sha256().digest_size


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

    The lock is the kernel's (flock): it goes with the process that holds it, however that ends.

    Raises:
        StateBusy: another process holds the folder.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.path = Path(root) / name
        self._lock: io.IOBase | None = None

    def __enter__(self) -> Self:
        self.path.mkdir(parents=True, exist_ok=True)
        handle = (self.path / "lock").open("a+")
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            holder = handle.read().strip() or "unknown"
            handle.close()
            raise StateBusy(
                f"{self.path}: held by process {holder}, expected to be free; wait for it to end, or end it, "
                "and start this job again (it resumes from the last checkpoint)"
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        self._lock = handle
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def save(self, content: Mapping[str, Any]) -> None:
        """Write the checkpoint: a reader, or a killed writer, leaves the old one or the new one."""
        buffer = io.BytesIO()
        torch.save(dict(content), buffer)
        data = buffer.getvalue()
        write_atomic(self.path / CHECKPOINT, hashlib.sha256(data).digest() + data)

    def load(self) -> dict[str, Any] | None:
        """The last checkpoint, or None when there is none or it cannot be read (training then starts anew)."""
        path = self.path / CHECKPOINT
        if not path.is_file():
            return None
        written = path.read_bytes()
        digest, data = written[:DIGEST_BYTES], written[DIGEST_BYTES:]
        try:
            if hashlib.sha256(data).digest() != digest:
                raise pickle.UnpicklingError("its content is not what was written")
            return torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            log.warning("%s cannot be read (%s); it is deleted and training starts anew", path, error)
            path.unlink()
            return None

    @property
    def progress(self) -> Path:
        """Where the job's progress lines go."""
        return self.path / "progress.jsonl"
