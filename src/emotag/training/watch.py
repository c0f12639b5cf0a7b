"""Shows every running job: what a training last said of its step, losses, rate and memory, read from the state folders,
and of the others since when they run and their memory, read from their heartbeats.

Only files are read, so it works for jobs of other machines whose results lie on a shared file system. A job runs if its
file was written while it was watched, or not long ago by the file's own time; the clocks of two machines need not agree.
"""

import json
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emotag import heartbeat
from emotag.errors import ConfigError

PROGRESS = "progress.jsonl"
# A job that says nothing for this long, or for so many times the usual, is at rest: done, killed or stuck.
QUIET_S, QUIET_LINES = 120.0, 10.0
TAIL_BYTES = 65_536
TITLES = ("job", "phase", "step", "loss", "s/step", "left", "runs", "memory", "host", "said")
# What the lines of a training and of a heartbeat hold at least.
STEP, BEAT = frozenset({"step", "total", "phase", "losses"}), frozenset({"stage", "out", "seconds"})


@dataclass(frozen=True)
class Job:
    """A job by its last line; `age_s` is how long ago that was said, `lines_s` how long a line usually takes."""

    name: str
    line: Mapping[str, Any]
    age_s: float
    lines_s: float

    @property
    def running(self) -> bool:
        """Whether it has been heard of lately."""
        return self.age_s < max(QUIET_S, QUIET_LINES * self.lines_s)

    @property
    def trains(self) -> bool:
        """Whether it told a step; else it only said that it runs."""
        return STEP <= self.line.keys()

    @property
    def done(self) -> bool:
        """Whether its last line ended a phase (the last one, where it is at rest)."""
        return self.trains and self.line["step"] >= self.line["total"]

    @property
    def process(self) -> str:
        """Host and number of its process."""
        return f"{self.line.get('host', '-')}:{self.line.get('pid', '-')}"


@dataclass
class Watcher:
    """Looks at all jobs below `state`, again and again."""

    state: Path
    _seen: dict[Path, tuple[tuple[int, int], float]] = field(default_factory=dict)

    def jobs(self) -> list[Job]:
        """The newest state of each job that has said anything: trainings, then the others, by name.

        Raises:
            ConfigError: there is no such folder.
        """
        if not self.state.is_dir():
            raise ConfigError(f"{self.state}: no such folder; give the folder of trainings' states, as results/state")
        newest: dict[str, Job] = {}
        for file in sorted(self.state.rglob(PROGRESS)):
            job = self._training(file)
            if job and (job.name not in newest or job.age_s <= newest[job.name].age_s):
                newest[job.name] = job
        files = sorted((self.state / Path(heartbeat.FOLDER).name).glob("*.jsonl"))
        beats = {job.process: job for job in map(self._beating, files) if job}
        trainings = [_joined(newest[name], beats) for name in sorted(newest)]
        return trainings + sorted(beats.values(), key=lambda job: job.name)

    def _training(self, file: Path) -> Job | None:
        lines, age_s = self._lines(file, STEP)
        if not lines:
            return None
        steps = lines[-1]["step"] - lines[-2]["step"] if len(lines) > 1 else 0
        name = "/".join(file.relative_to(self.state).parts[:-2]) or file.parent.name
        return Job(name, lines[-1], age_s, max(steps, 1) * float(lines[-1].get("seconds_per_step", 0)))

    def _beating(self, file: Path) -> Job | None:
        lines, age_s = self._lines(file, BEAT)
        if not lines:
            return None
        made = str(lines[-1]["out"]).removeprefix("results/")
        return Job(f"{lines[-1]['stage']} {made}", lines[-1], age_s, heartbeat.EVERY_S)

    def _lines(self, file: Path, keys: frozenset[str]) -> tuple[list[dict[str, Any]], float]:
        """The last lines of a file, and how long ago it was written."""
        try:
            status = file.stat()
            lines = last_lines(file, keys)
        except OSError:  # removed meanwhile
            return [], 0.0
        now = time.monotonic()
        state = status.st_size, status.st_mtime_ns
        before, since = self._seen.get(file, (state, now - max(0.0, time.time() - status.st_mtime)))
        if before != state:
            since = now
        self._seen[file] = state, since
        return lines, now - since


def _joined(training: Job, beats: dict[str, Job]) -> Job:
    """A running training with what its process says of itself, which is taken from `beats`."""
    beat = beats.pop(training.process, None) if training.running else None
    return replace(training, line={**beat.line, **training.line}) if beat else training


def last_lines(file: Path, keys: frozenset[str] = STEP) -> list[dict[str, Any]]:
    """The last whole lines of a file that hold `keys`; what a killed writer left of a line is passed over."""
    with file.open("rb") as handle:
        handle.seek(max(0, file.stat().st_size - TAIL_BYTES))
        texts = handle.read().split(b"\n")[:-1]
    lines = []
    for text in texts:
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and keys <= line.keys():
            lines.append(line)
    return lines[-2:]


def row(job: Job) -> tuple[str, ...]:
    """One job as the cells of a table."""
    line = job.line
    memory = [
        f"{line[key] / 1024:.1f} GB{suffix}" for key, suffix in (("peak_mb", ""), ("gpu_mb", " GPU")) if key in line
    ]
    return (
        job.name,
        *(step(job) if job.trains else ("-", "-", "-", "-", "-" if job.running else "stopped")),
        runs(job),
        ", ".join(memory) or "-",
        job.process,
        f"{duration(job.age_s)} ago",
    )


def runs(job: Job) -> str:
    """For how long a job has run, by its heartbeat: until now, or until it was last heard of."""
    if "seconds" not in job.line:
        return "-"
    return duration(job.line["seconds"] + (job.age_s if job.running and not job.trains else 0))


def step(job: Job) -> tuple[str, ...]:
    """Where a training is: phase, step, loss, seconds a step and time left, as cells."""
    line, losses = job.line, job.line["losses"]
    rate = float(line.get("seconds_per_step", 0))
    loss = losses.get("loss", next(iter(losses.values()), None))
    left = duration((line["total"] - line["step"]) * rate) if job.running else "done" if job.done else "stopped"
    said = "-" if loss is None else f"{loss:.4g}"
    return str(line["phase"]), f"{line['step']}/{line['total']}", said, f"{rate:.3g}", left


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
    return "\n".join(lines or ["nothing runs"])


def watch(state: Path, once: bool = False, everything: bool = False, interval_s: float = 2.0) -> None:
    """Print the table until interrupted: in place on a terminal, else whenever it has something new.

    Raises:
        ConfigError: there is no such folder.
    """
    watcher, said = Watcher(state), None
    while True:
        jobs = watcher.jobs()
        heard = [(job.name, job.line if job.trains else None, job.running) for job in jobs]
        if sys.stdout.isatty() and not once:
            print("\x1b[H\x1b[2J" + table(jobs, everything), flush=True)
        elif heard != said:
            print(table(jobs, everything), flush=True)
        if once:
            return
        said = heard
        time.sleep(interval_s)
