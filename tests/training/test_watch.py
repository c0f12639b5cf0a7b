"""What the watcher says of jobs: running, at rest, cut off, on machines whose clock is another."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from emotag.__main__ import main
from emotag.errors import ConfigError
from emotag.training.progress import Progress
from emotag.training.watch import Watcher, duration, last_lines, table


def line(step: int, total: int = 500, **more: object) -> str:
    base = {"phase": "joint", "losses": {"l1": 0.5, "loss": 0.25}, "seconds_per_step": 0.5, "title": "adapt"}
    return json.dumps({**base, "step": step, "total": total, **more}) + "\n"


def training(state: Path, name: str, text: str, age_s: float = 0.0, key: str = "0123456789abcdef") -> Path:
    file = state / name / key / "progress.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    os.utime(file, (time.time() - age_s,) * 2)
    return file


def test_a_running_training_says_where_it_is(tmp_path):
    training(tmp_path, "adapt/me", line(80) + line(100, peak_mb=2048, gpu_mb=512, host="node7", pid=42), age_s=5)
    shown = table(Watcher(tmp_path).jobs()).splitlines()
    assert shown[0].split() == ["job", "phase", "step", "loss", "s/step", "left", "runs", "memory", "host", "said"]
    for words in (
        "adapt/me",
        "joint",
        "100/500",
        "0.25",
        "0.5",
        "3 min 20 s",
        "2.0 GB, 0.5 GB GPU",
        "node7:42",
        "5 s ago",
    ):
        assert words in shown[1]


def test_what_is_at_rest_is_counted_and_shown_when_asked(tmp_path):
    training(tmp_path, "adapt/done", line(500), age_s=7200)
    training(tmp_path, "adapt/killed", line(480), age_s=7200)
    jobs = Watcher(tmp_path).jobs()
    assert table(jobs) == "2 at rest (--all shows them)"
    everything = table(jobs, everything=True).splitlines()
    assert "done" in everything[1] and "stopped" in everything[2] and "2 h 00 min ago" in everything[2]


def test_slow_steps_are_no_rest(tmp_path):
    """A line every 20 steps of half a minute each: ten minutes of silence are usual."""
    training(tmp_path, "pretrain/clips/all", line(20, seconds_per_step=30.0) + line(40, seconds_per_step=30.0), 900)
    [job] = Watcher(tmp_path).jobs()
    assert job.running and job.name == "pretrain/clips/all" and job.lines_s == 600


def test_newest_of_several_fingerprints_is_the_job(tmp_path):
    training(tmp_path, "adapt/me", line(500), 4000, key="a" * 16)
    training(tmp_path, "adapt/me", line(60), 4, key="b" * 16)
    training(tmp_path, "adapt/me", line(500), 5000, key="c" * 16)
    [job] = Watcher(tmp_path).jobs()
    assert job.line["step"] == 60


def test_growth_counts_where_clocks_differ(tmp_path):
    """The file server's clock is a day behind: only growth tells that the job runs."""
    file = training(tmp_path, "adapt/far", line(20), age_s=86_400)
    watcher = Watcher(tmp_path)
    assert not watcher.jobs()[0].running
    file.write_text(line(20) + line(40))
    os.utime(file, (time.time() - 86_400,) * 2)
    assert watcher.jobs()[0].running
    training(tmp_path, "adapt/ahead", line(20), age_s=-3600)
    assert all(job.age_s < 60 for job in watcher.jobs())


def beat(state: Path, stage: str, out: str, age_s: float = 0.0, **more: object) -> Path:
    file = state / "running" / f"{stage}.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    base = {"stage": stage, "out": f"results/{out}", "seconds": 75.0, "peak_mb": 1024, "host": "node7", "pid": 9}
    file.write_text(json.dumps({**base, **more}) + "\n")
    os.utime(file, (time.time() - age_s,) * 2)
    return file


def test_a_job_that_trains_nothing_says_that_it_runs_and_one_that_was_killed_does_not(tmp_path):
    beat(tmp_path, "crop", "clips/me/crop.mp4", age_s=4)
    beat(tmp_path, "render", "identities/me/drives/self-me/avatar/video.mp4", age_s=900, pid=10)
    jobs = Watcher(tmp_path).jobs()
    shown = table(jobs).splitlines()
    assert len(shown) == 3 and shown[2] == "1 at rest (--all shows them)"
    cells = [cell for cell in shown[1].split("  ") if cell]
    assert [cell.strip() for cell in cells] == [
        "crop clips/me/crop.mp4", *("-",) * 5, "1 min 19 s", "1.0 GB", "node7:9", "4 s ago",
    ]  # fmt: skip
    assert "stopped" in table(jobs, everything=True).splitlines()[2]


def test_a_training_and_its_heartbeat_are_one_job(tmp_path):
    file = training(tmp_path, "adapt/me", line(20, host="node7", pid=9))
    beat(tmp_path, "adapt", "identities/me/avatar.safetensors")
    [job] = Watcher(tmp_path).jobs()
    assert job.name == "adapt/me" and job.line["step"] == 20 and "1 min 15 s" in table([job])
    # What another process left is another job, and so is one that has told no step yet.
    file.write_text(line(20, host="node7", pid=8))
    assert [job.trains for job in Watcher(tmp_path).jobs()] == [True, False]


def test_a_job_that_is_tried_again_runs_though_its_file_is_as_long(tmp_path):
    file = beat(tmp_path, "crop", "clips/me/crop.mp4", age_s=86_400)
    watcher = Watcher(tmp_path)
    assert not watcher.jobs()[0].running
    file.unlink()
    beat(tmp_path, "crop", "clips/me/crop.mp4", age_s=86_000)
    assert watcher.jobs()[0].running


@pytest.mark.parametrize(
    "spoilt", ['{"step": 3', '{"step": 3\n', "\x00\x00\n", "[1]\n", '"x"\n', "{}\n", "{" * 2000 + "\n"]
)
def test_what_a_killed_writer_left_is_passed_over(tmp_path, spoilt):
    file = training(tmp_path, "adapt/me", line(20) + spoilt)
    assert last_lines(file)[-1]["step"] == 20
    file.write_text(line(20) + spoilt + line(40) if spoilt.endswith("\n") else line(20) + spoilt + "\n" + line(40))
    assert last_lines(file)[-1]["step"] == 40


def test_empty_and_removed_files_are_no_jobs(tmp_path):
    training(tmp_path, "adapt/me", "")
    assert Watcher(tmp_path).jobs() == [] and table([]) == "nothing runs"
    with pytest.raises(ConfigError, match="no such folder"):
        Watcher(tmp_path / "absent").jobs()


def test_it_reads_what_training_writes(tmp_path, capsys):
    progress = Progress(tmp_path / "adapt" / "me" / "f" / "progress.jsonl", "adapt", every=2, quiet=True)
    for step in (1, 2, 3, 4):
        progress.step("static", step, 10, {"loss": torch.tensor(float(step))})
    assert main(["watch", str(tmp_path), "--once"]) == 0
    shown = capsys.readouterr().out
    assert "adapt/me" in shown and "4/10" in shown and "3.5" in shown and f":{os.getpid()}" in shown and "GB" in shown


def test_it_follows_until_interrupted(tmp_path):
    training(tmp_path, "adapt/me", line(20))
    # A shell's background job ignores the interrupt, and its children with it, unless they are told not to.
    watching = subprocess.Popen(
        [sys.executable, "-m", "emotag", "watch", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert watching.stdout.readline().startswith("job") and "20/500" in watching.stdout.readline()
    training(tmp_path, "adapt/me", line(20) + line(40))
    assert watching.stdout.readline().startswith("job") and "40/500" in watching.stdout.readline()
    watching.send_signal(2)
    assert watching.wait(10) == 0


def test_durations():
    assert [duration(s) for s in (0, 59.4, 60, 3599, 3661)] == [
        "0 s",
        "59 s",
        "1 min 00 s",
        "59 min 59 s",
        "1 h 01 min",
    ]
