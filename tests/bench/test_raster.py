"""The bench on a scene of a few Gaussians: what it counts and writes, not how long anything takes."""

import json

import pytest
import torch

from emotag.bench import limit, raster, scenes
from emotag.bench.__main__ import main
from emotag.bench.goals import goals
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
    result["goals"] = []
    result["rows"] = [{k: v for k, v in row.items() if k != "samples"} | {"limit_ratio": None} for row in rows]
    assert "torch / numba" in raster.table(result) and json.dumps(result)


def test_goals_are_looked_up_and_judged():
    row = {"scene": "60k_512", "part": "forward_backward", "backend": "cpp"}
    ratio = {"scene": "60k_512", "part": "forward_backward"}
    result = {
        "rows": [
            row | {"core_ms": 61.0, "limit_ratio": 3.5, "extra_mb": 20.0},
            row | {"part": "step", "core_ms": 50.0},
        ],
        "ratios": [
            ratio | {"ratio": "cpp 1 / 2 threads", "value": 1.8},
            ratio | {"ratio": "numba / cpp", "value": 3.1},
        ],
        "warm_start_s": {"cpp": 0.3},
    }
    assert {row["goal"]: row["holds"] for row in goals(result)} == {
        "60k_512 forward_backward cpp core_ms at most 60": False,
        "60k_512 step cpp core_ms at most 90": True,
        "60k_512 forward_backward cpp limit_ratio at most 3.5": True,
        "60k_512 forward_backward cpp extra_mb at most 100": True,
        "60k_512 forward_backward numba / cpp at most 3": False,
        "60k_512 forward_backward cpp 1 / 2 threads at least 1.7": True,
        "warm start cpp, s at most 1.5": True,
    }


def test_a_run_writes_rows_ratios_and_goals(tmp_path, monkeypatch, capsys):
    """Of small scenes under the names of the large ones."""
    monkeypatch.setattr(raster, "ELLIPSOIDS", {name: (300, 48, 2.0) for name in raster.ELLIPSOIDS})
    file = tmp_path / "raster.json"
    assert main(["raster", "--scenes", "10k_256", "2k_128", "avatar", "--rounds", "1", "--json", str(file)]) == 0
    result = json.loads(file.read_text())
    columns = {"backend", "scene", "part", "core_ms", "limit_ratio", "wall_ms_1", "wall_ms_2", "extra_mb"}
    assert all(set(row) == columns for row in result["rows"])
    backends = {"numba", "torch"} | ({"cpp"} if forms.best().name.startswith("cpp") else set())
    assert backends <= {row["backend"] for row in result["rows"]} <= {"numba", "torch", "cpp"}
    assert {row["part"] for row in result["rows"]} == set(raster.PARTS)
    assert result["warm_start_s"] and any("warm start" in row["goal"] for row in result["goals"])
    assert "give --head" in result["skipped"][-1] and "warm start" in capsys.readouterr().out


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
