"""What is compared with a synthetic clip's truth: closed forms, and zero for the truth itself."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emotag.artifacts import Tracks
from emotag.geometry.camera import Camera
from emotag.tracking import recovery

FRAMES = 60


@pytest.fixture(scope="module")
def true(head):
    random = np.random.default_rng(0)
    expression = np.zeros((FRAMES, len(head.expression_names)), np.float32)
    for side in ("Left", "Right"):
        expression[20:24, head.unit("eyeBlink" + side)] = 0.9
        expression[40:44, head.unit("eyeBlink" + side)] = 0.9
    jaw = np.zeros((FRAMES, 3), np.float32)
    jaw[:, 0] = random.uniform(0, 0.2, FRAMES)
    zero = np.zeros((FRAMES, 3), np.float32)
    return Tracks(
        head_model=head.name, expression_names=list(head.expression_names),
        shape=random.normal(size=head.shape_size).astype(np.float32) * 0.5,
        expression=expression, jaw=jaw, neck=zero, eyes=np.zeros((FRAMES, 6), np.float32),
        rotation=(0.2 * random.normal(size=(FRAMES, 3))).astype(np.float32), translation=zero - 0.7,
        camera=Camera(100, 100, 50, 50, 100, 100).as_dict(), landmark_error=np.zeros((FRAMES, 478), np.float32),
        interpolated=np.zeros(FRAMES, bool),
    )  # fmt: skip


def test_similarity_undoes_a_similarity():
    random = np.random.default_rng(1)
    source, turn = random.normal(size=(30, 3)), Rotation.from_rotvec([0.3, -0.8, 0.5]).as_matrix()
    scale, rotation, shift = recovery.similarity(source, 1.7 * source @ turn.T + [1, 2, 3])
    assert scale == pytest.approx(1.7)
    np.testing.assert_allclose(rotation, turn, atol=1e-12)
    np.testing.assert_allclose(shift, [1, 2, 3], atol=1e-12)


def test_overlap_counts_pixels():
    a, b = np.zeros((4, 4), bool), np.zeros((4, 4), bool)
    assert recovery.overlap(a, b) == 1
    a[:2], b[1:3] = True, True
    assert recovery.overlap(a, b) == pytest.approx(4 / 12)


def test_the_truth_finds_itself(head, true):
    assert np.abs(recovery.lip_errors_mm(head, [true], [true])).max() < 1e-3
    assert list(recovery.jaw_correlations(head, [true], [true]).values()) == pytest.approx([1, 1, 1])
    assert recovery.blink_f1(head, [true], [true]) == 1
    assert recovery.head_degrees([true], [true]).max() < 1e-3


def test_pose_does_not_count_and_an_open_jaw_does(head, true):
    moved = replace(true, rotation=true.rotation * 0, translation=true.translation + 0.1)
    assert np.abs(recovery.lip_errors_mm(head, [moved], [true])).max() < 1e-3
    shut = replace(true, jaw=true.jaw * 0)
    errors = recovery.lip_errors_mm(head, [shut], [true])
    assert np.median(np.linalg.norm(errors, axis=1)) > 2
    right, up, forward = errors.mean(0)
    assert abs(right) < 0.1 and up > 1 and forward > 0


def test_the_jaws_opening_is_what_the_chin_does(head, true):
    np.testing.assert_allclose(recovery.jaw_opening_mm(head, replace(true, jaw=true.jaw * 0)), 0, atol=0.3)
    angle = true.jaw[:, 0]
    opening = recovery.jaw_opening_mm(head, replace(true, expression=true.expression * 0))
    assert np.polyfit(angle, opening, 1)[0] > 30 and np.corrcoef(angle, opening)[0, 1] > 0.9999


def test_lids_that_hang_by_any_unit_are_less_open(head, true):
    gaps = recovery.lid_gaps_mm(head, true)
    assert gaps[0] > 4 and gaps[21] < 1 and np.ptp(np.delete(gaps, [*range(20, 24), *range(40, 44)])) < 1e-3
    squinting = true.expression.copy()
    for side in ("Left", "Right"):
        squinting[:, head.unit("eyeSquint" + side)] = 0.8
    assert recovery.lid_gaps_mm(head, replace(true, expression=squinting))[0] < gaps[0] - 0.3


def test_a_chin_that_stands_lower_in_one_clip_counts_in_the_pooled_correlation_alone(head, true):
    lower = replace(true, jaw=true.jaw + np.array([0.2, 0, 0], np.float32))
    found = recovery.jaw_correlations(head, [true, lower], [true, true])
    assert found["clips"] == pytest.approx(1, abs=1e-6) and found["pooled"] < 0.8


def test_a_missed_blink_and_a_constant_turn(true, head):
    missed = true.expression.copy()
    missed[40:44] = 0
    assert recovery.blink_f1(head, [replace(true, expression=missed)], [true]) == pytest.approx(2 / 3)
    turned = (Rotation.from_rotvec([0.1, 0, 0]) * Rotation.from_rotvec(true.rotation)).as_rotvec().astype(np.float32)
    assert recovery.head_degrees([replace(true, rotation=turned)], [true]).max() < 1e-3


def test_the_skull_is_the_upper_face(head):
    fixed = recovery.skull(head)
    heights = head.neutral[:, 1].numpy()
    assert 40 < fixed.sum() < 200 and heights[fixed].min() > heights[head.vertex_regions["lips"].numpy()].max()
