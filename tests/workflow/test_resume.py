"""A run is killed, interrupted or loses its terminal in the middle of training: one plain run resumes, to the same bytes."""

import fcntl
import os
import pty
import select
import signal
import subprocess
import termios
import threading
import time

import pytest

from small_corpus import write_corpus
from working_tree import SNAKEMAKE

PRIOR = "results/prior/synthetic/all/prior.safetensors"
SETTINGS = ("--config", "pretrain={ridge: false, iterations: 200, batch_windows: 2, window_frames: 4}")


class Terminal:
    """Snakemake in the foreground of a terminal of its own, whose other end is ours."""

    def __init__(self, copy) -> None:
        self.ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [str(SNAKEMAKE), "--cores", "1", PRIOR, *SETTINGS],
            cwd=copy.path,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=self._take_terminal,
        )
        os.close(theirs)
        self.closed = False
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    @staticmethod
    def _take_terminal() -> None:
        for number in (signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def _read(self) -> None:
        """Nobody may wait for us to read."""
        while not self.closed:
            try:
                if select.select([self.ours], [], [], 0.1)[0]:
                    os.read(self.ours, 65536)
            except (OSError, ValueError):
                return

    def interrupt(self) -> None:
        os.write(self.ours, b"\x03")

    def close(self) -> None:
        """The kernel tells the foreground that it has no terminal any more."""
        self.closed = True
        self.reader.join()
        os.close(self.ours)


def kill(terminal: Terminal) -> None:
    os.killpg(terminal.process.pid, signal.SIGKILL)


@pytest.mark.slow
@pytest.mark.parametrize("blow", [kill, Terminal.interrupt, Terminal.close])
def test_training_resumes_to_the_same_bytes(copy, blow):
    write_corpus(copy.path / "results/corpus/synthetic/all.safetensors")
    state = copy.path / "results" / "state"
    terminal = Terminal(copy)
    wait_for(lambda: list(state.rglob("checkpoint.pt")), terminal.process)
    blow(terminal)
    assert terminal.process.wait(60) != 0
    assert not (copy.path / PRIOR).exists()

    resumed = copy.snakemake(PRIOR, *SETTINGS)
    assert resumed.returncode == 0, resumed.stdout
    assert "resuming" in resumed.stdout
    assert not list((copy.path / "results").rglob(".*"))
    first = (copy.path / PRIOR).read_bytes()

    (copy.path / PRIOR).unlink()
    for checkpoint in state.rglob("*.pt"):
        checkpoint.unlink()
    again = copy.snakemake(PRIOR, *SETTINGS)
    assert again.returncode == 0 and "resuming" not in again.stdout
    assert (copy.path / PRIOR).read_bytes() == first


def wait_for(condition, running: subprocess.Popen, seconds: float = 90) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert running.poll() is None, "ended before it could be killed"
        assert time.monotonic() < end
        time.sleep(0.02)
