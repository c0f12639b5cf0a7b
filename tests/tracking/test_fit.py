import dataclasses

import numpy as np
import pytest
import torch

from emotag.config import ShapeConfig, TrackConfig
from emotag.errors import ArtifactMismatch, FootageError
from emotag.geometry.camera import Camera
from emotag.tracking.action_units import action_units, fitted_action_units
from emotag.tracking.errors import errors, jitter
from emotag.tracking.fit import camera_of, cuts, fill_gaps, fit_shape, fit_tracks, subject_of
from emotag.tracking.posing import model_points

SIZE, FRAMES = (256, 256), 24
SHAPE = np.array([1.0, -0.8, 0.6, 0.3, -0.5])


def truth(head, frames=FRAMES, moving=True):
    """Points [T, 478, 3] px, with depth as MediaPipe gives it, and the motion behind them."""
    time = np.linspace(0, 2 * np.pi, frames) if moving else np.zeros(frames)
    expression = np.zeros((frames, 8))
    expression[:, 2] = 0.4 + 0.3 * np.sin(time)
    expression[:, 3] = 0.3 - 0.2 * np.cos(time)
    expression[:, 5] = 0.25 + 0.25 * np.sin(2 * time)
    jaw, zero = np.zeros((frames, 3)), np.zeros((frames, 3))
    jaw[:, 0] = 0.15 + 0.1 * np.cos(time)
    eyes = np.zeros((frames, 6))
    eyes[:, [1, 4]] = 0.15 * np.sin(time)[:, None]
    rotation = np.stack([0.1 * np.sin(time), 0.3 * np.cos(time), 0.05 * np.sin(time)], 1)
    translation = np.array([0.01, -0.02, -0.7]) + 0.01 * np.stack([np.sin(time), np.cos(time), np.sin(time)], 1)
    values = [torch.from_numpy(v).float() for v in (expression, jaw, zero, eyes, rotation, translation)]
    shape = torch.from_numpy(SHAPE).float().expand(frames, 5)
    points = head.landmarks(head.vertices(shape, *values))
    camera = camera_of(SIZE, 2.0)
    depth = -points[..., 2:] * camera.fx / 0.7
    known = {"expression": expression, "jaw": jaw, "eyes": eyes, "rotation": rotation, "translation": translation}
    return torch.cat([camera.project(points), depth], -1).double().numpy(), known


@pytest.fixture(scope="module")
def scene(toy_head):
    points, known = truth(toy_head)
    fit = fit_shape(toy_head, points, SIZE, ShapeConfig(components=5))
    return points, known, fit, subject_of(toy_head, fit, "clip", (0, FRAMES))


@pytest.fixture(scope="module")
def tracks(toy_head, scene):
    points, _, _, subject = scene
    return fit_tracks(toy_head, subject, points, TrackConfig(smoothness=0.0))


def test_known_person_is_found_again(scene):
    _, _, fit, subject = scene
    np.testing.assert_allclose(fit.shape, SHAPE, atol=0.25)
    assert np.linalg.norm(fit.offsets, axis=1).mean() < 2e-4
    assert Camera.from_dict(subject.camera) == Camera(512, 512, 128, 128, 256, 256)


def test_known_motion_is_found_again(scene, tracks):
    _, known, _, _ = scene
    np.testing.assert_allclose(tracks.rotation, known["rotation"], atol=0.015)
    np.testing.assert_allclose(tracks.translation, known["translation"], atol=6e-3)
    np.testing.assert_allclose(tracks.expression[:, [2, 3, 5]], known["expression"][:, [2, 3, 5]], atol=0.12)
    np.testing.assert_allclose(tracks.jaw[:, 0], known["jaw"][:, 0], atol=0.02)
    np.testing.assert_allclose(tracks.eyes[:, [1, 4]], known["eyes"][:, [1, 4]], atol=0.04)
    assert tracks.landmark_error.mean() < 0.15


def test_limits_hold(tracks):
    assert tracks.expression.min() >= 0 and tracks.expression.max() <= 1
    assert np.all(tracks.expression[:, 7] == 0)  # the tongue: no landmark shows it


def test_noise_is_met_by_little_error_and_less_jitter(toy_head, scene):
    points, _, _, subject = scene
    noisy = points + np.random.default_rng(0).normal(0, 0.7, points.shape)
    tracks = fit_tracks(toy_head, subject, noisy, TrackConfig())
    model = model_points(toy_head, tracks, subject.landmark_offsets)
    assert np.linalg.norm(model - points[..., :2], axis=-1).mean() < 0.5
    assert jitter(model) < 0.5 * jitter(noisy[..., :2])


def test_a_few_wild_points_change_little(toy_head, scene):
    points, known, _, subject = scene
    wild = points.copy()
    wild[:, 100:110, :2] += 40
    tracks = fit_tracks(toy_head, subject, wild, TrackConfig())
    np.testing.assert_allclose(tracks.rotation, known["rotation"], atol=0.03)


def test_a_still_face_does_not_tremble(toy_head, scene):
    points, _, _, subject = scene
    still = np.repeat(points[3:4], 12, axis=0)
    tracks = fit_tracks(toy_head, subject, still, TrackConfig())
    assert jitter(model_points(toy_head, tracks, subject.landmark_offsets)) < 1e-3


def test_shape_and_camera_stay_frozen(scene, tracks):
    subject = scene[3]
    np.testing.assert_array_equal(tracks.shape, subject.shape)
    assert tracks.camera == subject.camera


def test_frames_without_face_are_bridged(toy_head, scene):
    points, known, _, subject = scene
    gaps = np.zeros(FRAMES, bool)
    gaps[10:12] = True
    lost = points.copy()
    lost[gaps] = np.nan
    tracks = fit_tracks(toy_head, subject, lost, TrackConfig())
    np.testing.assert_array_equal(tracks.interpolated, gaps)
    np.testing.assert_allclose(tracks.rotation[gaps], known["rotation"][gaps], atol=0.06)


def test_too_few_faces_are_refused(toy_head, scene):
    lost = np.full_like(scene[0], np.nan)
    with pytest.raises(FootageError, match="0 of 24 frames"):
        fit_shape(toy_head, lost, SIZE, ShapeConfig())


def test_another_head_models_subject_is_refused(toy_head, scene):
    points, _, _, subject = scene
    with pytest.raises(ArtifactMismatch, match="flame"):
        fit_tracks(toy_head, dataclasses.replace(subject, head_model="flame"), points, TrackConfig())


def test_action_units_are_zero_at_neutral(toy_head, scene, tracks):
    subject = scene[3]
    resting = dataclasses.replace(
        tracks,
        expression=np.tile(subject.neutral_expression, (3, 1)),
        jaw=np.tile(subject.neutral_jaw, (3, 1)),
    )
    assert np.all(action_units(toy_head, subject, resting) == 0)


def test_action_units_follow_the_face(toy_head, scene):
    points, known, _, subject = scene
    found = fitted_action_units(toy_head, subject, points, 10)
    assert np.corrcoef(found[:, 1], known["jaw"][:, 0])[0, 1] > 0.98


def test_a_cut_is_seen_and_not_smoothed_over(toy_head, scene):
    points, known, _, subject = scene
    jumped = np.concatenate([points[:12], points[12:] + [25, 15, 0]])
    np.testing.assert_array_equal(np.flatnonzero(cuts(jumped, 60)), [11])
    assert not cuts(points, 60).any()
    tracks = fit_tracks(toy_head, subject, jumped, TrackConfig())
    usual = np.median(tracks.landmark_error.mean(1))
    assert tracks.landmark_error[11:13].mean() < 2 * usual


def test_gaps_are_filled_linearly_and_ends_held():
    points = np.arange(5.0)[:, None, None] * np.ones((5, 2, 3))
    valid = np.array([False, True, False, True, False])
    np.testing.assert_allclose(fill_gaps(points, valid)[:, 0, 0], [1, 1, 2, 3, 3])


def test_errors_are_shares_of_the_outer_eye_distance(scene):
    points = scene[0]
    unit = np.linalg.norm(points[:, 33, :2] - points[:, 263, :2], axis=-1).mean()
    found = errors(points, points[..., :2] + np.array([0.03 * unit, 0.04 * unit]))
    for name in ("inner51_iod", "contour17_iod", "lips_iod", "eyelids_iod"):
        assert found[name] == pytest.approx(0.05)
    assert found["jitter"] == pytest.approx(found["jitter_detected"])


def test_errors_leave_out_unused_frames(scene):
    points = scene[0]
    model = points[..., :2].copy()
    model[4] += 100
    used = np.arange(FRAMES) != 4
    assert errors(points, model, used)["inner51_iod"] == 0
