"""Taking over from a run that did not end by itself: killed, its terminal closed, its machine without power.

Snakemake leaves its locks behind then, and the next run would ask for `--unlock`. Each run therefore holds a lock of the
kernel, which goes with the process: where nobody else holds one, the locks that are left belong to nobody.

After a restart of the machine the newest files may not be whole, since files reach the disk up to half a minute after they
were written. What was made in the last minute before the end is made again.
"""

import fcntl
import io
import json
import logging
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from emotag.errors import ConfigError

log = logging.getLogger(__name__)

BOOT = Path("/proc/sys/kernel/random/boot_id")
UNSURE_S = 60.0
# Command lines that make nothing: short flags may stand together (-np).
LOOKS_ONLY = re.compile(r"-[a-zA-Z]*n[a-zA-Z]*|--(dry-?run|lint|unlock|touch|dag|rulegraph|filegraph|summary|list.*)")


def makes_nothing(arguments: Sequence[str]) -> bool:
    """Whether a command line of Snakemake only looks, judged before Snakemake itself says so."""
    return any(LOOKS_ONLY.fullmatch(text) for text in arguments)


def take_over(folder: Path, results: Path, boot: str | None = None) -> io.IOBase | None:
    """Clear away what a dead run left in Snakemake's `folder`, and hold it for this one as long as the result is kept.

    None where the file system has no locks: then Snakemake's own are all there is.

    Raises:
        ConfigError: nothing can be written in `folder` or `results`.
    """
    for place in (folder, results):
        require_writable(place)
    boot = boot or (BOOT.read_text().strip() if BOOT.is_file() else "")
    handle = (folder / "emotag.lock").open("a+")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        fcntl.flock(handle, fcntl.LOCK_SH)
        return handle
    except OSError:
        handle.close()
        return None
    handle.seek(0)
    before = handle.read().strip()
    left = sorted((folder / "locks").glob("*.lock"))
    if left and before and before != boot:
        dropped = drop_newest(folder, results)
        log.warning(
            "the machine was restarted during the last run: %d files of its last minute are made again", dropped
        )
    for path in left:
        path.unlink(missing_ok=True)
    if left:
        log.warning("the last run did not end by itself: its locks are cleared")
    handle.truncate(0)
    handle.write(boot)
    handle.flush()
    # Shared: other runs may work on other files of this folder.
    fcntl.flock(handle, fcntl.LOCK_SH)
    return handle


def require_writable(folder: Path) -> None:
    """Refuse a run that cannot write, before Snakemake says so in its own words.

    Raises:
        ConfigError: names the folder.
    """
    try:
        folder.mkdir(exist_ok=True)
        writable = os.access(folder, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise ConfigError(
            f"{folder.absolute()}: cannot be written (read-only, or not yours); give access, then run again"
        )


def drop_newest(folder: Path, results: Path, unsure_s: float = UNSURE_S) -> int:
    """Remove results younger than `unsure_s` before the last sign of life, and records that cannot be read. Returns how many.

    States of trainings stay: they say themselves whether they are whole.
    """
    times = {path: path.stat().st_mtime for path in (*_files(results), *_files(folder))}
    end = max(times.values(), default=0.0)
    state, records = results / "state", folder / "metadata"
    unsure = [path for path, time in times.items() if path.is_relative_to(results) and time > end - unsure_s]
    chosen = [path for path in unsure if not path.is_relative_to(state)]
    chosen += [path for path in _files(records) if not _readable(path)]
    for path in chosen:
        path.unlink()
    return len(chosen)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


def _readable(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text(encoding="utf-8")), dict)
    except ValueError:
        return False
