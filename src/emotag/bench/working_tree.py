"""A copy of the working tree in which Snakemake is run, and killed."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

COPIED = (
    "Snakefile", "config.yaml", "rules", "report", "profiles", "envs", "src",
    "data/assets.yaml", "data/reference", "data/voices", "data/takes", "data/moods", "data/priors",
    "data/articulation", "data/variants.yaml", "data/tables.yaml",
)  # fmt: skip
# What tells of a run instead of being made by it.
TELLS = ("logs", "benchmarks", "state", "summary", "report")
SETTINGS = "settings.yaml"
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
POLL_S = 0.05


def copy_tracked(source: Path, path: Path) -> None:
    """Copy what a run needs of the working tree `source` to `path`, without assets."""
    for name in COPIED:
        place = path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if (source / name).is_dir():
            shutil.copytree(source / name, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source / name, place)


@dataclass(frozen=True)
class Ended:
    """How a run of Snakemake ended."""

    code: int
    seconds: float
    said: str


@dataclass(frozen=True)
class Tree:
    """A working tree of its own; `cores` as Snakemake counts them."""

    path: Path
    cores: int = 1

    @classmethod
    def of_this(cls, source: Path, path: Path, settings: str, cores: int) -> "Tree":
        """Copy what a run needs of `source`, with links to its assets, and write `settings` (YAML)."""
        copy_tracked(source, path)
        (path / "data" / "assets").mkdir()
        for asset in sorted((source / "data" / "assets").iterdir()):
            (path / "data" / "assets" / asset.name).symlink_to(asset.resolve())
        (path / SETTINGS).write_text(settings, encoding="utf-8")
        return cls(path, cores)

    def copied(self, path: Path) -> "Tree":
        """The same with everything that was made in it, times included, in place of what was at `path`."""
        if path.exists():
            shutil.rmtree(path)
        shutil.copytree(self.path, path, symlinks=True)
        return Tree(path, self.cores)

    @property
    def results(self) -> Path:
        """Where everything is made."""
        return self.path / "results"

    def start(self, *targets: str, limit_bytes: int = 0) -> subprocess.Popen:
        """Snakemake in the background, in a process group of its own; what it says goes to the file `said`.

        `limit_bytes`: no file may grow beyond it.
        """
        command = [str(SNAKEMAKE), "--cores", str(self.cores), "--configfile", SETTINGS, "--", *targets]
        with (self.path / "said").open("w") as said:
            return subprocess.Popen(
                command,
                cwd=self.path,
                env={**os.environ, "OMP_NUM_THREADS": "1"},
                stdout=said,
                stderr=said,
                start_new_session=True,
                preexec_fn=lambda: _fresh(limit_bytes),
            )

    def wait(self, running: subprocess.Popen, began: float, seconds: float = 1800) -> Ended:
        """Wait for the end of what `start` began."""
        code = running.wait(seconds)
        return Ended(code, time.monotonic() - began, (self.path / "said").read_text(errors="replace"))

    def run(self, *targets: str, limit_bytes: int = 0) -> Ended:
        """One plain run."""
        began = time.monotonic()
        return self.wait(self.start(*targets, limit_bytes=limit_bytes), began)

    def digests(self) -> dict[str, str]:
        """sha256 of every result by its path, without what only tells of the run."""
        found = {}
        for path in sorted(self.results.rglob("*")):
            name = path.relative_to(self.results)
            if path.is_file() and name.parts[0] not in TELLS and name.name != "summary.json":
                with path.open("rb") as file:
                    found[str(name)] = hashlib.file_digest(file, "sha256").hexdigest()
        return found

    def hidden(self) -> list[str]:
        """Files that only a killed writer leaves."""
        return sorted(str(path.relative_to(self.path)) for path in self.results.rglob(".*"))


def _fresh(limit_bytes: int) -> None:
    """A job of a terminal's foreground hears all signals, whatever this process ignores."""
    import resource

    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    if limit_bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, limit_bytes))


def job_of(snakemake: int, stage: str) -> list[psutil.Process]:
    """The processes of a job below Snakemake, once the stage's program is among them; else nothing."""
    try:
        below = psutil.Process(snakemake).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
    for process in below:
        try:
            line = process.cmdline()
        except psutil.Error:
            continue
        if len(line) > 2 and line[1:3] == ["-m", f"emotag.stages.{stage}"]:
            return below
    return []


def wait_for_job(running: subprocess.Popen, stage: str, seconds: float = 120) -> list[psutil.Process]:
    """The job's processes as soon as the stage runs; nothing if Snakemake ends before."""
    end = time.monotonic() + seconds
    while running.poll() is None and time.monotonic() < end:
        if found := job_of(running.pid, stage):
            return found
        time.sleep(POLL_S)
    return []


def send(processes: list[psutil.Process], number: signal.Signals) -> bool:
    """Send a signal to all that still run; whether there was one."""
    heard = False
    for process in processes:
        try:
            process.send_signal(number)
            heard = True
        except psutil.NoSuchProcess:
            continue
    return heard
