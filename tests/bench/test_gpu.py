"""The GPU's bench with the numba renderer in gsplat's place: what it does and counts, not how long anything takes."""

import json

import numpy as np
import pytest
import torch

from emotag.bench import gpu, scenes
from emotag.bench.__main__ import main
from emotag.render import forms, gsplat
from emotag.render.cpu import CpuRenderer

REASON = gsplat.available()


@pytest.fixture
def bench():
    return gpu.Bench(CpuRenderer(1, forms.numba()), "cpu")


@pytest.fixture
def scene():
    return scenes.ellipsoid("tiny", 300, 48, 2.0)


def test_frames_of_a_batch_differ(bench, scene):
    frames = gpu.render_job(bench, scene, 3)()
    assert frames.shape == (3, 48, 48, 3) and frames.dtype == torch.uint8
    alone = gpu.render_job(bench, scene, 1)()
    assert torch.equal(frames[0], alone[0]) and not torch.equal(frames[0], frames[1])


def test_pipeline_ends_in_bytes(bench, scene):
    """With an avatar that does not move: codes are frame numbers here."""
    driven = scenes.Driven(lambda codes: gpu.frames_of(scene, splats, len(codes)), range(10), scene.camera)
    splats = {name: getattr(scene.splats, name) for name in gpu.FIELDS}
    frames = gpu.pipeline_job(bench, driven, 2)()
    assert frames.shape == (2, 48, 48, 3) and frames.dtype == np.uint8


def test_rows_and_ratios(bench, scene):
    rows = []
    for part, make in (("render", gpu.render_job), ("step", gpu.step_job)):
        rows += [gpu.measure(bench, "tiny", part, make(bench, scene, n), n, rounds=2) for n in (1, 4)]
    for row in rows:
        assert row["frames_per_s"] == pytest.approx(row["batch"] * row["calls_per_s"])
        assert row["wall_ms"] > 0 and row["kernel_ms"] is None
    found = gpu.ratios(rows)
    assert [(ratio["part"], ratio["ratio"]) for ratio in found] == [
        ("render", "a frame, batch 4 / 1"), ("step", "a frame, batch 4 / 1"),
    ]  # fmt: skip
    assert found[0]["value"] == pytest.approx(rows[1]["wall_ms"] / 4 / rows[0]["wall_ms"])
    result = {"machine": {}, "rows": rows, "ratios": found, "skipped": ["why"]}
    assert "batch 4 / 1" in gpu.table(result) and json.dumps(result)


@pytest.mark.skipif(not REASON, reason="gsplat runs here")
def test_without_a_gpu_it_is_told(capsys):
    assert main(["gpu"]) == 2
    assert "render backend gsplat: torch finds no CUDA device" in capsys.readouterr().err


@pytest.mark.gpu
@pytest.mark.skipif(bool(REASON), reason=f"gsplat cannot run here: {REASON}")
def test_on_the_gpu(tmp_path):
    assert main(["gpu", "--scenes", "10k_256", "--rounds", "2", "--json", str(tmp_path / "gpu.json")]) == 0
    rows = json.loads((tmp_path / "gpu.json").read_text())["rows"]
    assert len(rows) == 4 and all(row["wall_over_kernel"] > 0.5 for row in rows)
