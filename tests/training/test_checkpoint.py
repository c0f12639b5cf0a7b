"""State folder: fingerprint, lock, atomic checkpoints."""

import os
import subprocess
import sys
import threading

import pytest
import torch

from emotag.errors import StateBusy
from emotag.training.checkpoint import CHECKPOINT, StateFolder, fingerprint

HOLD = """
import sys, time
from pathlib import Path
from emotag.training.checkpoint import StateFolder
with StateFolder(Path(sys.argv[1]), "job"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_fingerprint_follows_settings_code_and_contents(tmp_path):
    file, copy = tmp_path / "a", tmp_path / "b"
    file.write_text("x")
    copy.write_text("x")
    same = fingerprint({"a": 1, "b": 2}, ["m@1"], [file])
    assert same == fingerprint({"b": 2, "a": 1}, ["m@1"], [copy])
    copy.write_text("y")
    others = [
        fingerprint({"a": 2, "b": 2}, ["m@1"], [file]),
        fingerprint({"a": 1, "b": 2}, ["m@2"], [file]),
        fingerprint({"a": 1, "b": 2}, ["m@1"], [copy]),
    ]
    assert len({same, *others}) == 4


def test_second_process_is_refused_until_the_first_is_killed(tmp_path):
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StateBusy, match=f"held by process {holder.pid}"), StateFolder(tmp_path, "job", 0):
            pass
    finally:
        holder.kill()
        holder.wait()
    with StateFolder(tmp_path, "job") as state:
        assert state.load() is None


def test_checkpoint_comes_back(tmp_path):
    with StateFolder(tmp_path, "job") as state:
        state.save({"model": {"w": torch.arange(3.0)}, "step": 4})
        back = state.load()
    assert back["step"] == 4 and torch.equal(back["model"]["w"], torch.arange(3.0))
    assert [path.name for path in state.path.glob(f".{CHECKPOINT}*")] == []


def test_unreadable_checkpoint_is_deleted_with_a_warning(tmp_path, caplog):
    with StateFolder(tmp_path, "job") as state:
        (state.path / CHECKPOINT).write_bytes(b"cut off")
        assert state.load() is None
        assert "starts anew" in caplog.text
        assert not (state.path / CHECKPOINT).exists()


def test_a_spoilt_checkpoint_costs_one_interval(tmp_path, caplog):
    with StateFolder(tmp_path, "job") as state:
        for step in (50, 100):
            state.save({"step": step})
        path = state.path / CHECKPOINT
        path.write_bytes(path.read_bytes()[:100])
        assert state.load()["step"] == 50 and "the one before it counts" in caplog.text


def test_who_finds_the_folder_held_waits_and_goes_on(tmp_path):
    """A trainer whose Snakemake was killed holds it still; its checkpoint is resumed from once it has ended."""
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    timer = threading.Timer(0.7, holder.kill)
    timer.start()
    with StateFolder(tmp_path, "job", 30) as state:
        assert holder.wait() == -9 and (state.path / "lock").read_text().startswith(f"{os.getpid()} of ")
    timer.join()
