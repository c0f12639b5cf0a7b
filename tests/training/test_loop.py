"""The loop: lowers a loss, resumes to the same bytes after kill -9, saves on SIGTERM, guards against NaN."""

import hashlib
import os
import signal
import subprocess
import sys
import time

import pytest
import torch
from torch import nn

from emotag.errors import TrainingDiverged
from emotag.training.checkpoint import StateFolder
from emotag.training.loop import Group, Phase, train
from emotag.training.progress import Progress, human, read
from emotag.training.selection import KeepBest

EVERYTHING = (Group(("",), 1e-2),)
JOB = """
import sys, time, torch
from pathlib import Path
from torch import nn
from emotag.training.checkpoint import StateFolder
from emotag.training.loop import Group, Phase, train
from emotag.training.progress import Progress

pause = float(sys.argv[2])
torch.manual_seed(0)
model = nn.Sequential(nn.Linear(4, 16), nn.Dropout(0.2), nn.Linear(16, 2))

def batches(generator):
    x = torch.randn(8, 4, generator=generator)
    return x, x[:, :2] - x[:, 2:]

def objective(batch, model):
    time.sleep(pause)
    return {"square": (model(batch[0]) - batch[1]).square().mean()}

phases = [Phase(name, 40, objective, batches, (Group(("",), 1e-2),)) for name in ("first", "second")]
with StateFolder(Path(sys.argv[1]), "job") as state:
    train(model, phases, state, Progress(state.progress, "job", every=1, quiet=True), seed=3, checkpoint_every=7)
print(torch.cat([p.detach().flatten() for p in model.parameters()]).numpy().tobytes().hex())
"""


def job(folder, pause=0.0):
    return subprocess.Popen([sys.executable, "-c", JOB, str(folder), str(pause)], stdout=subprocess.PIPE, text=True)


def wait_for_steps(folder, count):
    deadline = time.monotonic() + 120
    while len(read(folder / "job" / "progress.jsonl")) < count and time.monotonic() < deadline:
        time.sleep(0.02)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return job(tmp_path_factory.mktemp("whole")).communicate()[0]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 143)])
def test_killed_job_resumes_to_the_same_bytes(tmp_path, whole, number, code):
    first = job(tmp_path / "cut", pause=0.03)
    wait_for_steps(tmp_path / "cut", 50)
    os.kill(first.pid, number)
    assert first.wait() == code
    lines = len(read(tmp_path / "cut" / "job" / "progress.jsonl"))
    assert 50 <= lines < 80
    second = job(tmp_path / "cut").communicate()[0]
    assert hashlib.sha256(second.encode()).digest() == hashlib.sha256(whole.encode()).digest()
    assert len(read(tmp_path / "cut" / "job" / "progress.jsonl")) < lines + 80


def regression(steps=20, objective=None, groups=EVERYTHING, hooks=()):
    def square(batch, model):
        return {"square": (model(batch[0]) - batch[1]).square().mean()}

    def batches(generator):
        x = torch.randn(16, 4, generator=generator)
        return x, x.sum(1, keepdim=True)

    return Phase("only", steps, objective or square, batches, groups, hooks=hooks)


def run(tmp_path, model, *phases):
    with StateFolder(tmp_path, "job") as state:
        return train(model, phases, state, Progress(state.progress, "job", every=5, quiet=True), seed=0)


def test_twenty_steps_lower_the_loss(tmp_path):
    run(tmp_path, nn.Linear(4, 1), regression(20, groups=(Group(("",), 0.1),)))
    lines = read(tmp_path / "job" / "progress.jsonl")
    assert [line["step"] for line in lines] == [5, 10, 15, 20]
    assert lines[-1]["losses"]["square"] < 0.5 * lines[0]["losses"]["square"]
    assert human(lines[-1]).startswith("job only 20/20")


def test_parameters_outside_the_groups_stand_still(tmp_path):
    model = nn.ModuleDict({"a": nn.Linear(4, 1), "b": nn.Linear(4, 1)})
    before = model["b"].weight.detach().clone()

    def objective(batch, model):
        return {"square": (model["a"](batch[0]) + model["b"](batch[0])).square().mean()}

    run(tmp_path, model, regression(3, objective, (Group(("a.",), 0.1),)))
    assert torch.equal(model["b"].weight, before)
    with pytest.raises(ValueError, match="no parameter starts with"):
        run(tmp_path / "other", model, regression(3, objective, (Group(("c.",), 0.1),)))


def test_guard_goes_back_to_the_last_good_state_and_on(tmp_path, caplog):
    calls = []

    def objective(batch, model):
        calls.append(1)
        factor = float("nan") if len(calls) == 4 else 1.0
        return {"square": model(batch[0]).square().mean() * factor}

    model = run(tmp_path, nn.Linear(4, 1), regression(6, objective))
    assert len(calls) == 4 + 6
    assert "back to the last good state" in caplog.text
    assert all(torch.isfinite(p).all() for p in model.parameters())


def test_guard_gives_up_with_a_reason(tmp_path):
    def objective(batch, model):
        return {"square": model(batch[0]).square().mean() / 0}

    with pytest.raises(TrainingDiverged, match="square .* after 3 restarts"):
        run(tmp_path, nn.Linear(4, 1), regression(6, objective))


def test_keep_best_stops_and_gives_the_best_weights_back(tmp_path):
    values = iter([0.1, 0.5, 0.4, 0.3, 0.9])
    seen = []

    def score(model):
        seen.append(model.weight.detach().clone())
        return next(values)

    hook = KeepBest(score, every=2, patience=2)
    model = run(tmp_path, nn.Linear(4, 1), regression(20, hooks=(hook,)))
    hook.restore_best(model)
    assert (hook.best, hook.best_step, len(seen)) == (0.5, 4, 4)
    assert torch.equal(model.weight, seen[1])


def test_finished_job_has_nothing_left_to_do(tmp_path):
    model = run(tmp_path, nn.Linear(4, 1), regression(5))
    again = run(tmp_path, nn.Linear(4, 1), regression(5))
    assert torch.equal(model.weight, again.weight)
