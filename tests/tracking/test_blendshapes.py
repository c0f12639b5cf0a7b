"""Scores by ARKit's names become the motion that they name; the network itself where its file is in place."""

from pathlib import Path

import numpy as np
import pytest

from emotag.config import TrackConfig
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.tracking.blendshapes import LOOK_ANGLE, blendshape_scores, motion_of

TASK = Path(__file__).resolve().parents[2] / "data" / "assets" / "face_landmarker.task"


def test_scores_are_units_angles_and_gaze(head):
    scores = {"_neutral": np.zeros(3), "jawOpen": np.array([0, 0.5, np.nan]), "eyeBlinkLeft": np.array([1, 0, np.nan])}
    scores |= {
        "jawRight": np.array([0, 1.0, 0]),
        "eyeLookInRight": np.array([0.5, 0, 0]),
        "eyeLookUpLeft": np.array([0, 1.0, 0]),
    }
    motion = motion_of(scores, head)
    units = len(head.expression_names)
    expected = np.zeros((3, units + 9))
    expected[0, head.unit("eyeBlinkLeft")] = 1
    expected[1, units : units + 2] = 0.5 * head.jaw_limits[0], -head.jaw_limits[1]
    expected[0, units + 7] = 0.5 * LOOK_ANGLE  # the right eye turns to the subject's left
    expected[1, units + 3] = -LOOK_ANGLE
    np.testing.assert_allclose(motion, expected, atol=1e-7)


def test_other_heads_and_files_are_refused(flame_like, tmp_path):
    with pytest.raises(ArtifactMismatch, match="rest"):
        motion_of({"jawOpen": np.zeros(2)}, flame_like)
    with pytest.raises(AssetMissing, match="fetch_assets"):
        blendshape_scores(tmp_path / "none.task", [])
    (tmp_path / "broken.task").write_bytes(b"no landmarker")
    with pytest.raises(ArtifactMismatch, match="no face landmarker"):
        blendshape_scores(tmp_path / "broken.task", [])


@pytest.fixture
def flame_like(toy_head):
    class Other:
        name, expression_names = "flame2023", ("upper00", "lower00")

    return Other()


def test_a_start_does_not_change_where_the_fit_ends(toy_head):
    """From rest and from the truth: the same minimum."""
    import torch

    from emotag.tracking.fit import ShapeFit, as_tracks, camera_of, fit_tracks, subject_of
    from emotag.tracking.posing import model_points

    rng = np.random.default_rng(0)
    camera, frames = camera_of((256, 256), 2.0), 8
    motion = np.zeros((frames, 8 + 9))
    motion[:, 2] = motion[:, 3] = np.linspace(0, 0.8, frames)
    motion[:, 8] = np.linspace(0, 0.3, frames)
    pose = np.tile([0, 0, 0, 0, 0, -0.8], (frames, 1)) + rng.normal(0, 0.01, (frames, 6))
    state = np.concatenate([pose, motion], 1)
    fit = ShapeFit(np.zeros(5), camera, np.zeros((478, 3)), state, np.zeros(17))
    subject = subject_of(toy_head, fit, "x", (0, frames))
    truth = as_tracks(toy_head, subject, np.zeros((frames, 478, 3)), state, np.zeros(frames, bool))
    with torch.no_grad():
        flat = model_points(toy_head, truth, subject.landmark_offsets)
    points = np.concatenate([flat, np.zeros((frames, 478, 1))], 2)
    ends = [
        fit_tracks(toy_head, subject, points, TrackConfig(smoothness=0, iterations=40), motion=m)
        for m in (None, motion)
    ]
    np.testing.assert_allclose(ends[1].expression, ends[0].expression, atol=0.02)
    assert ends[1].landmark_error.mean() < 0.1


def test_the_network_sees_a_face_and_none():
    if not TASK.is_file():
        pytest.skip("face_landmarker.task is not in data/assets; run: snakemake data/assets/face_landmarker.task")
    assert blendshape_scores(TASK, [np.zeros((64, 64, 3), np.uint8)]) == {}
