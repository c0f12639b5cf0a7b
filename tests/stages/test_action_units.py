"""Both providers of action units on tracks made here, and the report that compares them."""

import json

import numpy as np
import pytest

from emotag.artifacts import ActionUnits, Subject, Tracks
from emotag.config import ActionUnitsConfig
from emotag.head import models
from emotag.stages import action_units, calibration
from emotag.tracking.openface import NAMES

FRAMES = 30
CAMERA = {"fx": 200.0, "fy": 200.0, "cx": 50.0, "cy": 50.0, "width": 100.0, "height": 100.0}


@pytest.fixture
def person(tmp_path, head_file):
    head = models.load(head_file)
    units = len(head.expression_names)
    expression = np.random.default_rng(0).uniform(0, 1, (FRAMES, units)).astype(np.float32)
    zeros = {name: np.zeros((FRAMES, n), np.float32) for name, n in (("neck", 3), ("eyes", 6), ("rotation", 3))}
    shape = np.zeros(3, np.float32)
    common = {"head_model": head.name, "expression_names": list(head.expression_names)}
    Subject(
        **common, shape=shape, camera=CAMERA, landmark_offsets=np.zeros((478, 3), np.float32),
        neutral_expression=np.zeros(units, np.float32), neutral_jaw=np.zeros(3, np.float32),
        vertex_colours=np.zeros((1, 3), np.float32), clip="c", part=[0, FRAMES],
    ).save(tmp_path / "subject.safetensors")  # fmt: skip
    Tracks(
        **common, shape=shape, camera=CAMERA, expression=expression, jaw=np.zeros((FRAMES, 3), np.float32), **zeros,
        translation=np.zeros((FRAMES, 3), np.float32), landmark_error=np.zeros((FRAMES, 478), np.float32),
        interpolated=np.zeros(FRAMES, bool),
    ).save(tmp_path / "tracks.safetensors")  # fmt: skip
    return {"head": head_file, "subject": tmp_path / "subject.safetensors", "tracks": tmp_path / "tracks.safetensors"}


def test_openface_of_the_built_in_units_calibrates_as_equal(person, tmp_path):
    inside, outside, report = (tmp_path / name for name in ("in.safetensors", "out.safetensors", "report.json"))
    action_units.run(**person, table=[], out=inside, config=ActionUnitsConfig())
    built_in = ActionUnits.load(inside)
    assert built_in.provider == "expression" and built_in.intensity.shape == (FRAMES, len(built_in.names))

    table = tmp_path / "clip.csv"
    header = ["frame", "face_id", "timestamp", "confidence", "success", *(f"{name}_r" for name in NAMES)]
    column = [built_in.names.index(name) for name in NAMES]
    rows = [
        [i + 1, 0, f"{i / 25:.3f}", 0.9, 1, *(f"{value:.6f}" for value in row[column])]
        for i, row in enumerate(built_in.intensity)
    ]
    table.write_text("\n".join(", ".join(map(str, row)) for row in [header, *rows]))
    settings = ActionUnitsConfig(provider="openface", blink_limit=5)
    action_units.run(**person, table=[table], out=outside, config=settings)
    given = ActionUnits.load(outside)
    assert given.provider == "openface"
    np.testing.assert_allclose(given.intensity, built_in.intensity[:, column], atol=1e-5)

    calibration.run(**person, given=outside, out=report)
    units = json.loads(report.read_text())["units"]
    assert set(units) == set(NAMES)
    for name, row in units.items():
        assert row["mean_absolute_difference"] < 1e-5, name
        assert row["slope"] is None or row["slope"] == pytest.approx(1, abs=1e-3), name
