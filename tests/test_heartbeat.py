"""A running job says so in a file of its own, and leaves none at its end; where it cannot, it runs all the same."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from emotag.heartbeat import FOLDER, VARIABLE, heartbeat
from emotag.training.watch import Watcher
from emotag.workflow.environment import prepare

ROOT = Path(__file__).resolve().parents[1]


def told(folder: Path) -> list[dict]:
    return [json.loads(line) for file in sorted(folder.glob("*")) for line in file.read_text().splitlines()]


def until(condition, limit_s: float = 30.0) -> None:
    end = time.monotonic() + limit_s
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    assert condition()


def test_it_beats_while_the_job_runs_and_no_longer(tmp_path):
    with heartbeat("crop", tmp_path / "crop.mp4", {VARIABLE: str(tmp_path / "running")}, every_s=0.02):
        until(lambda: len(told(tmp_path / "running")) > 2)
        lines = told(tmp_path / "running")
        [job] = Watcher(tmp_path).jobs()
        assert job.running and job.name.startswith("crop ") and not job.trains
    assert not list((tmp_path / "running").iterdir())
    assert all(line["stage"] == "crop" and line["pid"] == os.getpid() and line["peak_mb"] > 1 for line in lines)
    assert lines[-1]["seconds"] >= lines[0]["seconds"]


@pytest.mark.parametrize("ending", [SystemExit(143), ValueError("a bug")])
def test_it_ends_with_the_job_however_that_ends(tmp_path, ending):
    with pytest.raises(type(ending)), heartbeat("crop", "x", {VARIABLE: str(tmp_path)}):
        raise ending
    assert not list(tmp_path.iterdir())


def test_where_nobody_asks_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with heartbeat("crop", "x", {}):
        pass
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with heartbeat("crop", "x", {VARIABLE: str(tmp_path / "file" / "running")}):
        pass
    asked = []

    def full(*of: object) -> str:
        asked.append(of)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("emotag.heartbeat.line", full)
    with heartbeat("crop", "x", {VARIABLE: str(tmp_path / "running")}, every_s=0.01):
        until(lambda: len(asked) > 2)
    assert not list((tmp_path / "running").iterdir())


def test_two_tries_of_one_job_keep_to_their_own_files(tmp_path):
    """An orphan that ends does not take away what the next try says of itself."""
    orphan, again = (heartbeat("crop", "x", {VARIABLE: str(tmp_path)}, every_s=0.01) for _ in range(2))
    orphan.__enter__()
    with again:
        orphan.__exit__(None, None, None)
        until(lambda: told(tmp_path))
    assert not list(tmp_path.iterdir())


STAGE = """
import sys, time
from pathlib import Path
from emotag import stage

def run(*, out: Path, seconds: float) -> None:
    time.sleep(seconds)
    out.write_text("made")

stage.main(run)
"""


def start(folder: Path, seconds: float) -> subprocess.Popen:
    (folder / "small.py").write_text(STAGE)
    environment = dict(os.environ)
    prepare(str(ROOT / "src"), environment)
    command = [sys.executable, "small.py", "--out", "out.txt", "--seconds", str(seconds)]
    return subprocess.Popen(command, cwd=folder, env=environment)


@pytest.mark.parametrize(("number", "left"), [(signal.SIGTERM, 0), (signal.SIGKILL, 1)])
def test_a_stage_tells_where_the_rules_say_and_its_next_try_clears_up(tmp_path, number, left):
    running = start(tmp_path, 60)
    until(lambda: told(tmp_path / FOLDER))
    assert told(tmp_path / FOLDER)[0]["out"] == "out.txt" and told(tmp_path / FOLDER)[0]["pid"] == running.pid
    running.send_signal(number)
    running.wait(30)
    assert len(list((tmp_path / FOLDER).iterdir())) == left
    assert start(tmp_path, 0).wait(60) == 0
    assert not list((tmp_path / FOLDER).iterdir()) and (tmp_path / "out.txt").read_text() == "made"
