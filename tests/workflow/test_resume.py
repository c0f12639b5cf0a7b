"""Kill Snakemake and its job with signal 9 in the middle of training: the next run resumes, to the same bytes."""

import os
import signal
import subprocess
import time

import pytest

from small_corpus import write_corpus

PRIOR = "results/prior/synthetic/all/prior.safetensors"
SETTINGS = ("--config", "pretrain={iterations: 200, batch_windows: 2, window_frames: 4}")


@pytest.mark.slow
def test_killed_training_resumes_to_the_same_bytes(copy):
    write_corpus(copy.path / "results/corpus/synthetic/all.safetensors")
    state = copy.path / "results" / "state"

    running = copy.start(PRIOR, *SETTINGS)
    wait_for(lambda: list(state.rglob("checkpoint.pt")), running)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    assert not (copy.path / PRIOR).exists()

    copy.snakemake("--unlock")
    resumed = copy.snakemake(PRIOR, *SETTINGS)
    assert resumed.returncode == 0, resumed.stdout
    assert "resuming" in resumed.stdout
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
