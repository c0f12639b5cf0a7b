"""A run that did not end by itself is taken over by the next one, and by nobody while it lives."""

import fcntl
import os
import time

import pytest

from emotag.errors import ConfigError
from emotag.workflow.takeover import makes_nothing, take_over


@pytest.fixture
def folders(tmp_path):
    folder, results = tmp_path / ".snakemake", tmp_path / "results"
    for path in (folder / "locks", folder / "metadata", results / "state" / "prior", results / "clips"):
        path.mkdir(parents=True)
    return folder, results


def age(path, seconds: float) -> None:
    path.write_text("{}")
    os.utime(path, (time.time() - seconds,) * 2)


def test_locks_of_the_dead_are_cleared_and_those_of_the_living_stay(folders):
    folder, results = folders
    left = folder / "locks" / "0.input.lock"
    left.touch()
    held = take_over(folder, results, "a")
    assert not left.exists()
    left.touch()
    beside = take_over(folder, results, "a")
    assert left.exists(), "another run lives"
    held.close()
    third = take_over(folder, results, "a")
    assert left.exists(), "the second still does"
    beside.close()
    third.close()
    with take_over(folder, results, "a"):
        assert not left.exists()


def test_after_a_restart_the_last_minute_is_made_again(folders):
    folder, results = folders
    take_over(folder, results, "before").close()
    (folder / "locks" / "0.output.lock").touch()
    old, new, state = (
        results / "clips" / "old",
        results / "clips" / "new",
        results / "state" / "prior" / "checkpoint.pt",
    )
    age(old, 600)
    age(new, 1)
    age(state, 1)
    broken, whole = folder / "metadata" / "broken", folder / "metadata" / "whole"
    broken.write_bytes(bytes(40))
    age(whole, 1)
    take_over(folder, results, "after").close()
    assert (old.exists(), new.exists(), state.exists()) == (True, False, True)
    assert (broken.exists(), whole.exists()) == (False, True)


@pytest.mark.parametrize(("boot", "locks"), [("same", True), ("other", False)])
def test_nothing_is_removed_without_need(folders, boot, locks):
    """Neither where the machine ran on, nor after a run that ended by itself."""
    folder, results = folders
    take_over(folder, results, "same").close()
    if locks:
        (folder / "locks" / "0.output.lock").touch()
    age(results / "clips" / "new", 1)
    take_over(folder, results, boot).close()
    assert (results / "clips" / "new").exists()


def test_without_locks_of_the_file_system_snakemakes_are_all(folders, monkeypatch):
    def refuse(*_):
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    left = folders[0] / "locks" / "0.input.lock"
    left.touch()
    assert take_over(*folders) is None and left.exists()


@pytest.mark.parametrize("text", ["-n", "-np", "--dry-run", "--lint", "--unlock", "--summary", "--list-target-rules"])
def test_looking_is_no_run(text):
    assert makes_nothing(["--cores", "1", text, "all"])


@pytest.mark.parametrize("text", ["-c1", "--cores", "-k", "--config", "all", "--nolock", "--notemp"])
def test_anything_else_is(text):
    assert not makes_nothing([text])


def test_a_folder_that_cannot_be_written_is_told_in_a_line(folders, monkeypatch):
    """Root may write anywhere but on a read-only disk, which `access` knows of; here it says so of everything."""
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ConfigError, match="cannot be written"):
        take_over(*folders, "a")
