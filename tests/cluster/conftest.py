"""A real scheduler for the tests of this folder, and a working tree that submits to it."""

import importlib.util
import subprocess
from dataclasses import dataclass

import pytest

from slurm import NotStarted, Slurm, missing
from working_tree import SNAKEMAKE, Copy, copy_of_tree

# What differs on one node without accounting: no account, squeue in place of sacct, and short waits.
HERE = (
    "--slurm-no-account",
    *("--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "2"),
    *("--seconds-between-status-checks", "2"),
    *("--latency-wait", "10"),
    *("--max-threads", "2"),
)


@dataclass(frozen=True)
class Submitter:
    """A working tree whose jobs go to a scheduler."""

    copy: Copy
    slurm: Slurm

    def command(self, *arguments: str) -> list[str]:
        return [str(SNAKEMAKE), "--workflow-profile", "profiles/slurm", *HERE, *arguments]

    def snakemake(self, *arguments: str, seconds: float = 600) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.copy.path,
            env=self.slurm.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds,
        )

    def start(self, *arguments: str) -> subprocess.Popen:
        """In the background; its words go to the file `printed`."""
        with (self.copy.path / "printed").open("w") as printed:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.copy.path,
                env=self.slurm.environment,
                stdout=printed,
                stderr=printed,
                start_new_session=True,
            )


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """One node with two processors and one GPU that is none; skipped where SLURM or Snakemake's part for it is missing."""
    lacking = missing()
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        lacking.append("snakemake-executor-plugin-slurm")
    if lacking:
        pytest.skip(f"not installed: {', '.join(lacking)} (apt-get install slurm-wlm slurmctld slurmd munge)")
    started = Slurm(tmp_path_factory.mktemp("slurm"))
    try:
        running = started.__enter__()
    except NotStarted as error:
        # A container may forbid what the daemons need: no fault of the pipeline.
        pytest.skip(f"SLURM is installed and does not start here: {error}")
    try:
        yield running
    finally:
        started.__exit__()


@pytest.fixture
def submitter(slurm, tmp_path) -> Submitter:
    return Submitter(copy_of_tree(tmp_path), slurm)
