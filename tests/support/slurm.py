"""A SLURM of one node: munged, slurmctld and slurmd of this user, in a folder of their own, without a database."""

import getpass
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

PROGRAMS = ("munged", "mungekey", "slurmctld", "slurmd", "scontrol", "sbatch", "srun")
FOLDERS = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])
# The device is /dev/null: enough for the scheduler to count it.
CONFIGURATION = """
ClusterName=local
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={daemon}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
KillWait=20
MinJobAge=3600
SchedulerParameters=sched_interval=2,sched_min_interval=100000,bf_interval=2
GresTypes=gpu
AccountingStorageType=accounting_storage/none
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} Gres=gpu:1
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """Programs that this machine lacks."""
    return [name for name in PROGRAMS if shutil.which(name, path=FOLDERS) is None]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class NotStarted(Exception):
    """A daemon of SLURM does not run on this machine."""


class Slurm:
    """Use as a context manager; `environment` lets programs find it."""

    def __init__(self, folder: Path, cpus: int = 2, memory_mb: int = 16_000) -> None:
        self.folder = folder
        path = os.pathsep.join([str(folder / "bin"), FOLDERS])
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}
        self._sizes = {"cpus": cpus, "memory": memory_mb}
        self._running: list[subprocess.Popen] = []

    def __enter__(self) -> "Slurm":
        folder = self.folder
        (folder / "state").mkdir(parents=True)
        (folder / "spool").mkdir()
        (folder / "bin").mkdir()
        text = CONFIGURATION.format(
            folder=folder,
            host=socket.gethostname().split(".")[0],
            controller=free_port(),
            daemon=free_port(),
            user=getpass.getuser(),
            **self._sizes,
        )
        (folder / "slurm.conf").write_text(text.lstrip())
        (folder / "gres.conf").write_text("Name=gpu File=/dev/null\n")
        # The executor takes all of SLURM's variables away from its jobs, this one too; elsewhere the file lies in /etc.
        step = folder / "bin" / "srun"
        program = shutil.which("srun", path=FOLDERS)
        step.write_text(f'#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {program} "$@"\n')
        step.chmod(0o755)
        self._call("mungekey", "--create", f"--keyfile={folder}/munge.key")
        files = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
        try:
            # --force: the folder of a test is open to its user only, which munged would not have.
            self._start("munged", "--foreground", "--force", *(f"--{k}={folder}/munge.{v}" for k, v in files.items()))
            self._wait(lambda: (folder / "munge.socket").exists())
            self._start("slurmctld", "-D")
            self._start("slurmd", "-D", "-N", socket.gethostname().split(".")[0])
            self._wait(lambda: "idle" in self._call("sinfo", "-h", "-o", "%T", check=False))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._call("scancel", "--user", getpass.getuser(), check=False)
        for process in reversed(self._running):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def jobs(self) -> list[dict[str, str]]:
        """Every job since the start, oldest first, as scontrol shows it."""
        lines = self._call("scontrol", "--oneliner", "show", "job").splitlines()
        found = [dict(re.findall(r"([\w/:]+)=(\S*)", line)) for line in lines if line.startswith("JobId")]
        return sorted(found, key=lambda job: int(job["JobId"]))

    def update(self, job: str, **settings: str) -> None:
        """What an administrator may change of a running job."""
        self._call("scontrol", "update", f"JobId={job}", *(f"{key}={value}" for key, value in settings.items()))

    def _last_words(self) -> str:
        """The last line of each daemon's log."""
        logs = sorted([*self.folder.glob("*.log"), *self.folder.glob("*.out")])
        lines = {log.name: log.read_text(errors="replace").splitlines() for log in logs}
        return "; ".join(f"{name}: {text[-1]}" for name, text in lines.items() if text)

    def _start(self, *command: str) -> None:
        log = (self.folder / f"{command[0]}.out").open("w")
        self._running.append(
            subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
        )

    def _call(self, *command: str, check: bool = True) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=60)
        assert not check or done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def _wait(self, condition, seconds: float = 60) -> None:
        end = time.monotonic() + seconds
        while not condition():
            dead = [process.args for process in self._running if process.poll() is not None]
            if dead or time.monotonic() > end:
                raise NotStarted(f"{dead or 'not ready'}; {self._last_words()}")
            time.sleep(0.3)
