"""Kill Snakemake and its job with signal 9 in the middle of training: the next run resumes, to the same bytes."""

import os
import signal
import subprocess
import time

import numpy as np
import pytest

from emotag.artifacts import Corpus

PRIOR = "results/prior/synthetic/all/prior.safetensors"
SETTINGS = ("--config", "pretrain={iterations: 200, batch_windows: 2, window_frames: 4}")
NAMES = ["eyeBlinkLeft", "mouthFunnel", "jaw_x"]


def write_corpus(path) -> None:
    """Four people whose motion is a linear map of noise, in place of the talkers."""
    rng = np.random.default_rng(0)
    mixing, clips = rng.normal(size=(6, 3)), [f"clip{number}" for number in range(4)]
    features = {clip: rng.normal(size=(120, 6)).astype(np.float32) for clip in clips}

    def each(make):
        return {clip: make(clip).astype(np.float32) for clip in clips}

    Corpus(
        head_model="test",
        motion_names=NAMES,
        motion=each(lambda clip: 0.1 * features[clip][::2] @ mixing),
        action_units=each(lambda clip: rng.uniform(0, 5, (60, 6))),
        emotion=each(lambda clip: rng.dirichlet(np.ones(7), 60)),
        identity=each(lambda clip: rng.normal(size=4)),
        features=features,
        prosody=each(lambda clip: rng.uniform(0, 1, (120, 3))),
        people={clip: clip for clip in clips},
        offset_frames=dict.fromkeys(clips, 0.0),
        provider="test",
    ).save(path)


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
    for checkpoint in state.rglob("checkpoint.pt"):
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
