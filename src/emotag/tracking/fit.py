"""Fit a head model to landmarks: shape, camera and landmark offsets of a person, then pose and motion of any clip.

The shape stage sees the adaptation part alone; afterwards shape, camera and offsets are frozen. The focal length is not
fitted: a clip of one frontal person does not determine it.
"""

import logging
from dataclasses import dataclass

import numpy as np
import torch

from emotag.artifacts import Subject, Tracks
from emotag.config import ShapeConfig, TrackConfig
from emotag.errors import ArtifactMismatch, FootageError
from emotag.geometry.camera import Camera
from emotag.head.base import HeadModel
from emotag.tracking.channels import channels_of
from emotag.tracking.initial_pose import initial_pose
from emotag.tracking.landmark_basis import LandmarkBasis, build
from emotag.tracking.landmark_offsets import person_offsets
from emotag.tracking.optimiser import Estimate, Problem, minimise
from emotag.tracking.point_weights import point_weights
from emotag.tracking.posing import model_points
from emotag.tracking.reprojection import POSE, Observations
from emotag.types import LANDMARKS

log = logging.getLogger(__name__)
OUTER_EYES = (33, 263)
CAUCHY = 3.0  # hundredths of the outer-eye distance
SHAPE_WEIGHT_PER_FRAME = 0.3
POSE_TIME_CONSTANT = 0.8
NEUTRAL_PERCENTILE = 25
POSE_STEPS, POSE_SHAPE_STEPS = 6, 6
FEWEST_FRAMES = 5


@dataclass(frozen=True)
class ShapeFit:
    """`shape` [S], camera, `offsets` [L, 3] m, `state` [T, 6 + M] of the fitted frames, `neutral` [M]."""

    shape: np.ndarray
    camera: Camera
    offsets: np.ndarray
    state: np.ndarray
    neutral: np.ndarray


def camera_of(size: tuple[int, int], focal_over_width: float) -> Camera:
    """Centred pinhole camera of an image of `size` (width, height) px."""
    width, height = size
    focal = focal_over_width * width
    return Camera(focal, focal, width / 2, height / 2, width, height)


def outer_eye_distance(points: np.ndarray) -> float:
    """Median distance of the outer eye corners, px, over frames of `points` [T, 478, 3] with depth (turns do not shorten
    it)."""
    return float(np.median(np.linalg.norm(points[:, OUTER_EYES[0]] - points[:, OUTER_EYES[1]], axis=-1)))


def observe(points: np.ndarray, valid: np.ndarray, camera: Camera, weights: np.ndarray) -> Observations:
    """Observations of detected `points` [T, 478, 3] px; frames that are not `valid` [T] count for nothing."""
    weight = torch.from_numpy(weights[None] * valid[:, None]).float()
    unit = outer_eye_distance(points[valid]) / 100
    return Observations(torch.from_numpy(points[..., :2].copy()).float(), weight, unit, camera, CAUCHY)


def _valid_frames(points: np.ndarray, interpolated: np.ndarray | None) -> np.ndarray:
    valid = np.isfinite(points).all((1, 2))
    if interpolated is not None:
        valid &= ~interpolated
    if valid.sum() < FEWEST_FRAMES:
        raise FootageError(
            f"a face was found in {int(valid.sum())} of {len(points)} frames, expected at least {FEWEST_FRAMES}; "
            "take a part of the clip in which the face is visible"
        )
    return valid


def fit_shape(
    head: HeadModel,
    points: np.ndarray,
    size: tuple[int, int],
    config: ShapeConfig,
    interpolated: np.ndarray | None = None,
) -> ShapeFit:
    """Fit one person to the adaptation part's landmarks `points` [T, 478, 3] px of frames of `size` (width, height).

    Raises:
        FootageError: the face was found in fewer than five frames.
    """
    basis = build(head, config.components)
    valid = _valid_frames(points, interpolated)
    points = points[valid]
    camera = camera_of(size, config.focal_over_width)
    observations = observe(points, np.ones(len(points), bool), camera, point_weights(head))
    none = torch.zeros(LANDMARKS, 3)
    weight = SHAPE_WEIGHT_PER_FRAME * len(points)
    problem = Problem(basis, observations, channels_of(head), none, weight, POSE_TIME_CONSTANT, 1.0)
    estimate = first_estimate(basis, points, camera, np.zeros(basis.shape_size))
    estimate = minimise(problem, estimate, POSE_STEPS, with_motion=False)
    estimate = minimise(problem, estimate, POSE_SHAPE_STEPS, with_motion=False, with_shape=True)
    estimate = minimise(problem, estimate, config.iterations, with_shape=True)
    offsets = person_offsets(basis, observations, estimate)
    problem = Problem(
        basis, observations, problem.channels, torch.from_numpy(offsets).float(), weight, POSE_TIME_CONSTANT, 1.0
    )
    estimate = minimise(problem, estimate, config.iterations, with_shape=True)
    neutral = np.percentile(estimate.state[:, POSE:], NEUTRAL_PERCENTILE, axis=0)
    shape = np.zeros(head.shape_size)
    shape[: basis.shape_size] = estimate.shape
    return ShapeFit(shape, camera, offsets, estimate.state, neutral)


def subject_of(head: HeadModel, fit: ShapeFit, clip: str, part: tuple[int, int]) -> Subject:
    """The artifact of a fit to the frames `part` of `clip`; vertex colours are grey until they are averaged."""
    units = len(head.expression_names)
    neutral = fit.neutral.astype(np.float32)
    return Subject(
        head_model=head.name,
        expression_names=list(head.expression_names),
        shape=fit.shape.astype(np.float32),
        camera=fit.camera.as_dict(),
        landmark_offsets=fit.offsets.astype(np.float32),
        neutral_expression=neutral[:units],
        neutral_jaw=neutral[units : units + 3],
        vertex_colours=np.full((next(iter(head.vertex_regions.values())).numel(), 3), 0.5, np.float32),
        clip=clip,
        part=list(part),
    )


def first_estimate(basis: LandmarkBasis, points: np.ndarray, camera: Camera, shape: np.ndarray) -> Estimate:
    """Pose by rigid alignment, motion at rest."""
    reference = basis.posed(torch.from_numpy(shape).float(), torch.zeros(LANDMARKS, 3)).base.numpy()
    pose = initial_pose(points, reference, camera)
    return Estimate(np.concatenate([pose, np.zeros((len(pose), basis.motion_size))], 1), shape, np.inf)


def fit_tracks(
    head: HeadModel,
    subject: Subject,
    points: np.ndarray,
    config: TrackConfig,
    interpolated: np.ndarray | None = None,
) -> Tracks:
    """Pose, expression, jaw and eyes of every frame of `points` [T, 478, 3] px with the person's shape frozen.

    Raises:
        ArtifactMismatch: the subject was fitted with another head model.
        FootageError: the face was found in fewer than five frames.
    """
    if (subject.head_model, tuple(subject.expression_names)) != (head.name, tuple(head.expression_names)):
        raise ArtifactMismatch(
            f"subject of head model {subject.head_model!r} with {len(subject.expression_names)} units, expected "
            f"{head.name!r} with {len(head.expression_names)}; fit the subject again with this head model"
        )
    basis = build(head)
    valid = _valid_frames(points, interpolated)
    filled = fill_gaps(points, valid)
    camera = Camera.from_dict(subject.camera)
    observations = observe(filled, valid, camera, point_weights(head))
    offsets = torch.from_numpy(subject.landmark_offsets).float()
    problem = Problem(basis, observations, channels_of(head), offsets, 0.0, POSE_TIME_CONSTANT, config.smoothness)
    shape = subject.shape.astype(np.float64)
    estimate = first_estimate(basis, filled, camera, shape)
    estimate = minimise(problem, estimate, POSE_STEPS, with_motion=False)
    estimate = minimise(problem, estimate, config.iterations)
    return as_tracks(head, subject, filled, estimate.state, ~valid)


def fill_gaps(points: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Replace the frames that are not `valid` [T] by linear interpolation over time."""
    if valid.all():
        return points.astype(np.float64)
    flat = points.reshape(len(points), -1).astype(np.float64)
    frames, known = np.arange(len(points)), np.flatnonzero(valid)
    after = np.clip(np.searchsorted(known, frames), 0, len(known) - 1)
    before = np.clip(np.searchsorted(known, frames, side="right") - 1, 0, len(known) - 1)
    left, right = known[before], known[after]
    share = np.where(right > left, (frames - left) / np.maximum(right - left, 1), 0.0)[:, None]
    return ((1 - share) * flat[left] + share * flat[right]).reshape(points.shape)


def as_tracks(
    head: HeadModel, subject: Subject, points: np.ndarray, state: np.ndarray, interpolated: np.ndarray
) -> Tracks:
    """Put the solver's `state` [T, 6 + M] into the artifact, with each landmark's error."""
    units = len(head.expression_names)
    state = state.astype(np.float32)
    tracks = Tracks(
        head_model=head.name,
        expression_names=list(head.expression_names),
        shape=subject.shape.astype(np.float32),
        expression=state[:, POSE : POSE + units],
        jaw=state[:, POSE + units : POSE + units + 3],
        neck=np.zeros((len(state), 3), np.float32),
        eyes=state[:, POSE + units + 3 :],
        rotation=state[:, :3],
        translation=state[:, 3:POSE],
        camera=dict(subject.camera),
        landmark_error=np.zeros((len(state), LANDMARKS), np.float32),
        interpolated=interpolated.astype(bool),
    )
    error = np.linalg.norm(model_points(head, tracks, subject.landmark_offsets) - points[..., :2], axis=-1)
    return Tracks(**{**tracks.__dict__, "landmark_error": error.astype(np.float32)})
