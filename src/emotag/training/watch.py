"""Shows every running training: what it last said of its step, losses, rate and memory, read from the state folders.

Only files are read, so it works for jobs of other machines whose results lie on a shared file system. A job runs if its
file grew while it was watched, or not long ago by the file's own time; the clocks of two machines need not agree.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from emotag.errors import ConfigError

PROGRESS = "progress.jsonl"
# A job that says nothing for this long, or for so many times the usual, is at rest: done, killed or stuck.
QUIET_S, QUIET_LINES = 120.0, 10.0
TAIL_BYTES = 65_536
TITLES = ("job", "phase", "step", "loss", "s/step", "left", "memory", "host", "said")


@dataclass(frozen=True)
class Job:
    """A training by its last line; `age_s` is how long ago that was said, `lines_s` how long a line usually takes."""

    name: str
    line: Mapping[str, Any]
    age_s: float
    lines_s: float

    @property
    def running(self) -> bool:
        """Whether it has been heard of lately."""
        return self.age_s < max(QUIET_S, QUIET_LINES * self.lines_s)

    @property
    def done(self) -> bool:
        """Whether its last line ended a phase (the last one, where it is at rest)."""
        return self.line["step"] >= self.line["total"]


@dataclass
class Watcher:
    """Looks at all trainings below `state`, again and again."""

    state: Path
    _seen: dict[Path, tuple[int, float]] = field(default_factory=dict)

    def jobs(self) -> list[Job]:
        """The newest state of each training that has said anything, by name.

        Raises:
            ConfigError: there is no such folder.
        """
        if not self.state.is_dir():
            raise ConfigError(f"{self.state}: no such folder; give the folder of trainings' states, as results/state")
        newest: dict[str, Job] = {}
        for file in sorted(self.state.rglob(PROGRESS)):
            job = self._job(file)
            if job and (job.name not in newest or job.age_s <= newest[job.name].age_s):
                newest[job.name] = job
        return [newest[name] for name in sorted(newest)]

    def _job(self, file: Path) -> Job | None:
        try:
            status = file.stat()
            lines = last_lines(file)
        except OSError:  # removed meanwhile
            return None
        if not lines:
            return None
        now = time.monotonic()
        size, since = self._seen.get(file, (status.st_size, now - max(0.0, time.time() - status.st_mtime)))
        if size != status.st_size:
            since = now
        self._seen[file] = status.st_size, since
        steps = lines[-1]["step"] - lines[-2]["step"] if len(lines) > 1 else 0
        name = "/".join(file.relative_to(self.state).parts[:-2]) or file.parent.name
        return Job(name, lines[-1], now - since, max(steps, 1) * float(lines[-1].get("seconds_per_step", 0)))


def last_lines(file: Path) -> list[dict[str, Any]]:
    """The last whole lines of a progress file; what a killed writer left of a line is passed over."""
    with file.open("rb") as handle:
        handle.seek(max(0, file.stat().st_size - TAIL_BYTES))
        texts = handle.read().split(b"\n")[:-1]
    lines = []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and {"step", "total", "phase", "losses"} <= line.keys():
            lines.append(line)
    return lines[-2:]


def row(job: Job) -> tuple[str, ...]:
    """One job as the cells of a table."""
    line = job.line
    rate = float(line.get("seconds_per_step", 0))
    losses = line["losses"]
    loss = losses.get("loss", next(iter(losses.values()), None))
    memory = [
        f"{line[key] / 1024:.1f} GB{suffix}" for key, suffix in (("peak_mb", ""), ("gpu_mb", " GPU")) if key in line
    ]
    left = duration((line["total"] - line["step"]) * rate) if job.running else "done" if job.done else "stopped"
    return (
        job.name,
        str(line["phase"]),
        f"{line['step']}/{line['total']}",
        "-" if loss is None else f"{loss:.4g}",
        f"{rate:.3g}",
        left,
        ", ".join(memory) or "-",
        f"{line.get('host', '-')}:{line.get('pid', '-')}",
        f"{duration(job.age_s)} ago",
    )


def duration(seconds: float) -> str:
    """Seconds as people say them."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def table(jobs: list[Job], everything: bool = False) -> str:
    """The running jobs (or all), one a line, and how many are at rest."""
    shown = [job for job in jobs if everything or job.running]
    rows = [TITLES, *map(row, shown)] if shown else []
    widths = [max(len(cells[column]) for cells in rows) for column in range(len(TITLES))] if rows else []
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip() for cells in rows]
    resting = len(jobs) - len(shown)
    if resting:
        lines.append(f"{resting} at rest (--all shows them)")
    return "\n".join(lines or ["no training has begun"])


def watch(state: Path, once: bool = False, everything: bool = False, interval_s: float = 2.0) -> None:
    """Print the table until interrupted: in place on a terminal, else whenever it has something new.

    Raises:
        ConfigError: there is no such folder.
    """
    watcher, said = Watcher(state), None
    while True:
        jobs = watcher.jobs()
        heard = [(job.name, job.line, job.running) for job in jobs]
        if sys.stdout.isatty() and not once:
            print("\x1b[H\x1b[2J" + table(jobs, everything), flush=True)
        elif heard != said:
            print(table(jobs, everything), flush=True)
        if once:
            return
        said = heard
        time.sleep(interval_s)
