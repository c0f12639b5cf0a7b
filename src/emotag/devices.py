"""One GPU, one job: on a machine with several, each job takes one that no other job holds.

Snakemake counts GPUs (`--resources gpu=4`) but does not say which one a job has. A scheduler does: where it shows a job one
device only, there is nothing to choose. Elsewhere a job holds the lock of its device (the kernel's, so it goes with the
process, however that ends) in a folder of this machine, and hides the other devices from CUDA.
"""

import fcntl
import getpass
import io
import logging
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from pathlib import Path

log = logging.getLogger(__name__)

VISIBLE = "CUDA_VISIBLE_DEVICES"


def visible(environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Names of the devices that this process may use, as CUDA takes them; none where there is no GPU."""
    if VISIBLE in environment:
        return [name.strip() for name in environment[VISIBLE].split(",") if name.strip()]
    program = shutil.which("nvidia-smi", path=environment.get("PATH"))
    if program is None:
        return []
    asked = [program, "--query-gpu=uuid", "--format=csv,noheader"]
    listed = subprocess.run(asked, capture_output=True, text=True, check=False)
    return listed.stdout.split() if listed.returncode == 0 else []


def lock_folder() -> Path:
    """Where this user's jobs on this machine meet."""
    return Path(tempfile.gettempdir(), f"emotag-gpus-{getpass.getuser()}")


@contextmanager
def one(
    devices: Sequence[str] | None = None,
    folder: Path | None = None,
    environment: MutableMapping[str, str] = os.environ,
    poll_s: float = 0.5,
) -> Iterator[str | None]:
    """Hold one of `devices` (all visible ones by default) and let CUDA see no other; wait while all are held.

    To be entered before CUDA is first used. Yields its name; None where there is no GPU.
    """
    names = visible(environment) if devices is None else list(devices)
    if len(names) < 2:
        yield names[0] if names else None
        return
    before = environment.get(VISIBLE)
    handle, name = _wait_for_one(names, folder or lock_folder(), poll_s)
    environment[VISIBLE] = name
    log.info("GPU %s of %d", name, len(names))
    try:
        yield name
    finally:
        handle.close()
        environment.pop(VISIBLE)
        if before is not None:
            environment[VISIBLE] = before


def _wait_for_one(names: Sequence[str], folder: Path, poll_s: float) -> tuple[io.IOBase, str]:
    """The open lock of the first free device, and its name."""
    folder.mkdir(mode=0o700, exist_ok=True)
    waited = False
    while True:
        for name in names:
            handle = (folder / f"{name.replace('/', '-')}.lock").open("a")
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return handle, name
            except BlockingIOError:
                handle.close()
        if not waited:
            log.info("all %d GPUs are held by other jobs: waiting", len(names))
        waited = True
        time.sleep(poll_s)
