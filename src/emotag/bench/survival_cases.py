"""What can happen to a run, one function a kind: each is handed a finished tree of its own, spoils the making of some files,
and lets one plain run go over it."""

import os
import random
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil

from emotag.bench.working_tree import Ended, Tree, send, wait_for_job
from emotag.training.progress import read

MARGIN_BYTES = 24_000
# Of a stage's duration: before, Python is still loading; after, it may be done already.
EARLIEST, LATEST = 0.1, 0.9


@dataclass(frozen=True)
class Stage:
    """A stage by name, the files one of its jobs makes (below results/), that job's benchmark and log, for trainings their
    state and the steps between checkpoints, and its module where that has another name."""

    name: str
    files: tuple[str, ...]
    job: str
    state: str = ""
    every: int = 0
    module: str = ""

    @property
    def program(self) -> str:
        """The module that its jobs run."""
        return self.module or self.name

    @property
    def targets(self) -> list[str]:
        """Files as Snakemake is asked for them."""
        return [f"results/{file}" for file in self.files]

    def told(self, tree: Tree) -> list[dict]:
        """What a training has said of its progress."""
        folder = tree.results / "state" / self.state
        return [line for file in folder.rglob("progress.jsonl") for line in read(file)] if self.state else []

    def reached(self, tree: Tree) -> tuple[str, int, int] | None:
        """Phase, step and steps of the phase that a training last told of."""
        lines = self.told(tree)
        return (lines[-1]["phase"], lines[-1]["step"], lines[-1]["total"]) if lines else None

    def forget(self, tree: Tree) -> None:
        """As if the job had never run."""
        for file in self.files:
            (tree.results / file).unlink()
        if self.state:
            shutil.rmtree(tree.results / "state" / self.state)


@dataclass(frozen=True)
class Fate:
    """What was done, how the run that suffered it and the plain one after it ended, and what was lost of a training."""

    suffered: Ended
    after: Ended
    at_s: float = 0.0
    reached: tuple[str, int, int] | None = None
    resumed: tuple[str, int] | None = None
    left: tuple[str, ...] = ()


def strike(
    tree: Tree, stage: Stage, moment: float, blow: Callable[[subprocess.Popen, list], None]
) -> tuple[Ended, float]:
    """Start the stage, wait `moment` seconds from its beginning, and let `blow(snakemake, job)` do it.

    Of a training only what follows its first words counts, so that there are steps to lose.
    """
    began = time.monotonic()
    running = tree.start(*stage.targets)
    job = wait_for_job(running, stage.program)
    while stage.state and running.poll() is None and not stage.told(tree):
        time.sleep(0.01)
    seen = time.monotonic()
    while running.poll() is None and time.monotonic() < seen + moment:
        time.sleep(0.01)
    at = time.monotonic() - seen
    blow(running, job)
    return tree.wait(running, began), at


def killed(tree: Tree, stage: Stage, moment: float, number: signal.Signals) -> Fate:
    """All processes of the job get a signal, as from a scheduler; Snakemake is told that it failed."""
    stage.forget(tree)
    suffered, at = strike(tree, stage, moment, lambda snakemake, job: send(job, number))
    return afterwards(tree, stage, suffered, at)


def closed(tree: Tree, stage: Stage, moment: float, number: signal.Signals) -> Fate:
    """Snakemake and its jobs all get a signal, as from a terminal: Ctrl-C, or that it was closed."""
    stage.forget(tree)
    suffered, at = strike(tree, stage, moment, lambda snakemake, job: os.killpg(snakemake.pid, number))
    return afterwards(tree, stage, suffered, at)


def orphaned(tree: Tree, stage: Stage, moment: float) -> Fate:
    """Snakemake alone is killed; its job works on while the plain run comes, and ends when it ends."""
    stage.forget(tree)
    orphans: list[psutil.Process] = []

    def blow(snakemake: subprocess.Popen, job: list[psutil.Process]) -> None:
        orphans.extend(job)
        snakemake.kill()

    suffered, at = strike(tree, stage, moment, blow)
    fate = afterwards(tree, stage, suffered, at)
    psutil.wait_procs(orphans, timeout=600)
    return fate


def power_cut(tree: Tree, stage: Stage, moment: float, files: int = 3) -> Fate:
    """All are killed at once, the newest files lose their second half, and the machine has been started anew."""
    stage.forget(tree)
    suffered, at = strike(tree, stage, moment, lambda snakemake, job: (snakemake.kill(), send(job, signal.SIGKILL)))
    # Before the progress itself is cut.
    reached = stage.reached(tree)
    records = (tree.path / ".snakemake" / "metadata").rglob("*")
    found = [path for path in (*tree.results.rglob("*"), *records) if path.is_file() and path.stat().st_size]
    for path in sorted(found, key=lambda path: path.stat().st_mtime_ns)[-files:]:
        before = path.stat()
        os.truncate(path, before.st_size // 2)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (tree.path / ".snakemake" / "emotag.lock").write_text("another start of the machine")
    return replace(afterwards(tree, stage, suffered, at), reached=reached)


def twice(tree: Tree, stage: Stage, moment: float) -> Fate:
    """A second Snakemake is started while the first works: it is refused, and the first one ends well."""
    stage.forget(tree)
    began = time.monotonic()
    first = tree.start(*stage.targets)
    wait_for_job(first, stage.program)
    time.sleep(moment)
    second = tree.run(*stage.targets)
    return Fate(second, tree.wait(first, began), moment, left=tuple(tree.hidden()))


def full_disk(tree: Tree, stage: Stage) -> Fate:
    """Less room than the files need; then there is."""
    stage.forget(tree)
    with disk(tree) as resize:
        used = sum(path.stat().st_size for path in tree.results.rglob("*") if path.is_file())
        suffered = tree.run(*stage.targets, limit_bytes=0 if resize else MARGIN_BYTES)
        left = tuple(tree.hidden())
        if resize:
            resize(f"size={2 * used + 2**30}")
        fate = afterwards(tree, stage, suffered, 0.0)
        return Fate(suffered, fate.after, left=left + fate.left)


def read_only(tree: Tree, stage: Stage) -> Fate:
    """Nothing may be written below results/; then it may."""
    stage.forget(tree)
    with disk(tree) as resize:
        if resize:
            resize("ro,size=4G")
        else:
            _set_modes(tree.results, 0o500)
        suffered = tree.run(*stage.targets)
        if resize:
            resize("rw,size=4G")
        else:
            _set_modes(tree.results, 0o755)
        return afterwards(tree, stage, suffered, 0.0)


@contextmanager
def disk(tree: Tree) -> Iterator[Callable[[str], None] | None]:
    """Move results/ onto a disk of its own that is full but for `MARGIN_BYTES`, where this user may mount one.

    Yields what mounts it anew with other options, or None where there is no such disk.
    """
    moved = tree.path / "moved"
    tree.results.rename(moved)
    tree.results.mkdir()
    mounted = shutil.which("mount") and os.geteuid() == 0 and _call("mount", "-t", "tmpfs", "survival", tree.results)
    try:
        shutil.copytree(moved, tree.results, symlinks=True, dirs_exist_ok=True)
        if mounted:
            free = shutil.disk_usage(tree.results)
            _call("mount", "-o", f"remount,size={free.used + MARGIN_BYTES}", tree.results)
        yield (lambda options: _call("mount", "-o", f"remount,{options}", tree.results)) if mounted else None
        back = tree.path / "back"
        shutil.copytree(tree.results, back, symlinks=True)
    finally:
        if mounted:
            _call("umount", tree.results)
    shutil.rmtree(moved)
    shutil.rmtree(tree.results)
    back.rename(tree.results)


def _call(*command: str | Path) -> bool:
    return subprocess.run(list(map(str, command)), capture_output=True, check=False).returncode == 0


def _set_modes(folder: Path, mode: int) -> None:
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(mode)


def afterwards(tree: Tree, stage: Stage, suffered: Ended, at: float) -> Fate:
    """One plain run, and what the training says of where it went on."""
    reached = stage.reached(tree)
    after = tree.run(*stage.targets)
    log = tree.results / "logs" / f"{stage.job}.log"
    said = re.findall(r"resuming (\w+) at step (\d+)", log.read_text()) if log.is_file() else []
    resumed = (said[-1][0], int(said[-1][1])) if said else None
    return Fate(suffered, after, at, reached, resumed, tuple(tree.hidden()))


def moment_of(case: str, seconds: float) -> float:
    """A random moment of a stage that takes `seconds`, the same whenever the case is run."""
    return random.Random(case).uniform(EARLIEST, LATEST) * seconds
