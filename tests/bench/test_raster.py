"""The bench on a scene of a few Gaussians: what it counts and writes, not how long anything takes."""

import json

import pytest
import torch

from emotag.bench import limit, raster, scenes
from emotag.errors import AssetMissing
from emotag.geometry.rotations import quaternion_to_matrix
from emotag.render import forms
from emotag.render.cpu import CpuRenderer


@pytest.fixture
def scene():
    return scenes.ellipsoid("tiny", 300, 48, 2.0)


def test_ellipsoid_covers_its_share_of_the_image():
    scene = scenes.ellipsoid("", 20_000, 128, 2.0)
    alpha = CpuRenderer(1, forms.numba()).render(scene.splats, scene.camera).alpha
    assert (alpha > 0.5).float().mean().item() == pytest.approx(scenes.COVERED, abs=0.06)


def test_flat_gaussians_lie_on_the_surface():
    splats = scenes.ellipsoid("", 50, 64, 2.0).splats
    thin = quaternion_to_matrix(splats.quaternions)[0, :, :, 1]
    axes = torch.tensor(scenes.AXES_M)
    points = splats.means[0] + torch.tensor([0.0, 0.0, scenes.DISTANCE_M])
    normals = torch.nn.functional.normalize(points / axes**2, dim=-1)
    torch.testing.assert_close((thin * normals).sum(-1).abs(), torch.ones(50), atol=1e-4, rtol=0)


@pytest.mark.parametrize("part", raster.PARTS)
def test_rows_and_ratios(scene, part):
    rows = raster.measure(scene, part, {"numba": forms.numba(), "torch": None}, rounds=1)
    assert [(row["backend"], row["scene"], row["part"]) for row in rows] == [
        (n, "tiny", part) for n in ("numba", "torch")
    ]
    assert rows[0]["wall_ms_2"] > 0 and rows[0]["extra_mb"] > 48 * 48 * 5 * 4 / 1e6
    assert rows[1]["wall_ms_2"] is None and rows[1]["core_ms"] > 0
    found = raster.ratios(rows)
    assert {ratio["ratio"] for ratio in found} == {"torch / numba", "numba 1 / 2 threads"}
    result = {"machine": raster.machine(), "ratios": found, "warm_start_s": {"numba": 1.0}, "skipped": ["why"]}
    result["rows"] = [{k: v for k, v in row.items() if k != "samples"} | {"limit_ratio": None} for row in rows]
    assert "torch / numba" in raster.table(result) and json.dumps(result)


def test_what_a_scene_takes(scene):
    try:
        work = limit.work_of(scene)
    except AssetMissing as error:
        pytest.skip(str(error))
    assert 300 < work.pairs < work.blocks < 16 * work.pairs
    assert work.operations("forward_backward") > 2 * work.operations("forward")
    assert limit.operations_per_second() > 1e8


def test_all_done_pixels_stop_the_count():
    """Opaque Gaussians in front leave nothing to evaluate behind them."""
    scene = scenes.ellipsoid("", 4000, 48, 6.0)
    try:
        whole = limit.work_of(scene)
    except AssetMissing as error:
        pytest.skip(str(error))
    scene.splats.opacities.fill_(0.99)
    assert limit.work_of(scene).blocks < whole.blocks
