"""Fit a head model to landmarks: shape, camera and landmark offsets of a person, then pose and motion of any clip.

The shape stage sees the adaptation part alone; afterwards shape, camera and offsets are frozen. The focal length is not
fitted: a clip of one frontal person does not determine it.
"""

import dataclasses
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
from emotag.tracking.contacts import SPAN_PAIRS, close_lids, eye_gaps, span_weights
from emotag.tracking.eye_sockets import eye_sockets
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
CUT_STEP, CUT_RATIO = 0.05, 5.0  # share of the outer-eye distance; times the steps around it
SHAPE_CHANNELS = 10.0  # how much more reluctantly channels move while the shape is being fitted
SHAPE_WEIGHT = 1.0  # per frame fitted, on unit-variance coefficients
SHAPE_FRAMES = 40
POSE_TIME_CONSTANT = 0.8
NEUTRAL_PERCENTILE = 25
POSE_STEPS = 6
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


def cuts(points: np.ndarray, outer_eyes_px: float) -> np.ndarray:
    """Where the film was cut [T - 1] bool: the whole face of `points` [T, 478, 3] px jumps between two frames, by far more
    than it moves before and after."""
    step = np.median(np.linalg.norm(np.diff(points[..., :2], axis=0), axis=-1), axis=1) / outer_eyes_px
    around = np.pad(step, 2, mode="edge")
    calm = np.median(np.stack([around[i : i + len(step)] for i in (0, 1, 3, 4)]), axis=0)
    return step > np.maximum(CUT_STEP, CUT_RATIO * calm)


def observe(
    points: np.ndarray, valid: np.ndarray, camera: Camera, weights: np.ndarray, shut: np.ndarray | None = None
) -> Observations:
    """Observations of detected `points` [T, 478, 3] px; frames that are not `valid` [T] count for nothing. `shut` [T] says
    how closed the eyes are at least."""
    unit = outer_eye_distance(points[valid]) / 100
    used = torch.from_numpy(valid).float()[:, None]
    targets, closedness = close_lids(points[..., :2], np.median(eye_gaps(points[valid]), axis=0), shut)
    return Observations(
        points=torch.from_numpy(targets).float(),
        weights=used * torch.from_numpy(weights).float(),
        pairs=torch.tensor(SPAN_PAIRS),
        pair_weights=used * torch.from_numpy(span_weights(closedness)).float(),
        linked=~cuts(points, 100 * unit),
        unit_px=unit,
        camera=camera,
        cauchy=CAUCHY,
    )


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
    valid = _valid_frames(points, interpolated)
    camera, weights = camera_of(size, config.focal_over_width), point_weights(head)
    # What is the same in all frames is the person's shape, not an expression held for five seconds.
    channels = channels_of(head, SHAPE_CHANNELS)
    known = np.flatnonzero(valid)
    chosen = known[np.linspace(0, len(known) - 1, min(SHAPE_FRAMES, len(known))).astype(int)]
    few = observe(points[chosen], np.ones(len(chosen), bool), camera, weights)
    basis = build(head, config.components)
    none, sockets = torch.zeros(LANDMARKS, 3), eye_sockets(head, basis.shape_size, len(chosen))
    problem = Problem(basis, few, channels, none, SHAPE_WEIGHT * len(chosen), 0.0, 0.0, sockets)
    estimate = first_estimate(basis, points[chosen], camera)
    estimate = minimise(problem, estimate, POSE_STEPS, with_motion=False)
    estimate = minimise(problem, estimate, POSE_STEPS, with_motion=False, with_shape=True)
    estimate = minimise(problem, estimate, config.iterations, with_shape=True)
    offsets = person_offsets(basis, few, estimate)
    problem = dataclasses.replace(problem, offsets=torch.from_numpy(offsets).float())
    estimate = minimise(problem, estimate, config.iterations, with_shape=True)
    shape = np.zeros(head.shape_size)
    shape[: basis.shape_size] = estimate.shape
    settings = TrackConfig(iterations=config.iterations)
    person = _Person(shape, offsets, camera)
    state = _fit_state(head, person, fill_gaps(points, valid), valid, settings)
    return ShapeFit(shape, camera, offsets, state, neutral_of(head, state[valid][:, POSE:]))


def neutral_of(head: HeadModel, motion: np.ndarray) -> np.ndarray:
    """The person's rest [M] in `motion` [T, M]: a low percentile of units that push one way, the median of those with a
    sign."""
    neutral = np.percentile(motion, NEUTRAL_PERCENTILE, axis=0)
    signed = np.flatnonzero(head.expression_limits[0].cpu().numpy() < 0)
    neutral[signed] = np.median(motion[:, signed], axis=0)
    return neutral


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


def first_estimate(basis: LandmarkBasis, points: np.ndarray, camera: Camera) -> Estimate:
    """Pose by rigid alignment to the basis' own rest, motion at rest."""
    shape = torch.zeros(basis.shape_size)
    reference = basis.posed(shape, torch.zeros(LANDMARKS, 3)).base.numpy()
    pose = initial_pose(points, reference, camera)
    return Estimate(np.concatenate([pose, np.zeros((len(pose), basis.motion_size))], 1), shape.numpy(), np.inf)


@dataclass(frozen=True)
class _Person:
    """What is frozen: shape [S], landmark `offsets` [L, 3] m, camera."""

    shape: np.ndarray
    offsets: np.ndarray
    camera: Camera


def _frozen_problem(
    head: HeadModel,
    person: _Person,
    points: np.ndarray,
    valid: np.ndarray,
    config: TrackConfig,
    shut: np.ndarray | None = None,
) -> Problem:
    basis = build(head, 0, torch.from_numpy(person.shape))
    observations = observe(points, valid, person.camera, point_weights(head), shut)
    offsets = torch.from_numpy(person.offsets).float()
    return Problem(basis, observations, channels_of(head), offsets, 0.0, POSE_TIME_CONSTANT, config.smoothness)


def track_problem(
    head: HeadModel,
    subject: Subject,
    points: np.ndarray,
    valid: np.ndarray,
    config: TrackConfig,
    shut: np.ndarray | None = None,
) -> Problem:
    """The fit of pose and motion to landmarks `points` [T, 478, 3] px without gaps, with the subject frozen; frames that are
    not `valid` [T] count for nothing. `shut` [T] says how closed the eyes are at least."""
    person = _Person(subject.shape, subject.landmark_offsets, Camera.from_dict(subject.camera))
    return _frozen_problem(head, person, points, valid, config, shut)


def _fit_state(
    head: HeadModel,
    person: _Person,
    points: np.ndarray,
    valid: np.ndarray,
    config: TrackConfig,
    motion: np.ndarray | None = None,
) -> np.ndarray:
    """State [T, 6 + M] with the person frozen, begun at `motion` [T, M] (at rest if None); `points` without gaps."""
    problem = _frozen_problem(head, person, points, valid, config)
    estimate = first_estimate(problem.basis, points, person.camera)
    estimate = minimise(problem, estimate, POSE_STEPS, with_motion=False)
    if motion is not None:
        estimate.state[:, POSE:] = motion
    return minimise(problem, estimate, config.iterations).state


def fit_tracks(
    head: HeadModel,
    subject: Subject,
    points: np.ndarray,
    config: TrackConfig,
    interpolated: np.ndarray | None = None,
    motion: np.ndarray | None = None,
) -> Tracks:
    """Pose, expression, jaw and eyes of every frame of `points` [T, 478, 3] px with the person's shape frozen, begun at
    `motion` [T, M] (at rest if None).

    Raises:
        ArtifactMismatch: the subject was fitted with another head model.
        FootageError: the face was found in fewer than five frames.
    """
    if (subject.head_model, tuple(subject.expression_names)) != (head.name, tuple(head.expression_names)):
        raise ArtifactMismatch(
            f"subject of head model {subject.head_model!r} with {len(subject.expression_names)} units, expected "
            f"{head.name!r} with {len(head.expression_names)}; fit the subject again with this head model"
        )
    valid = _valid_frames(points, interpolated)
    filled = fill_gaps(points, valid)
    person = _Person(subject.shape, subject.landmark_offsets, Camera.from_dict(subject.camera))
    state = _fit_state(head, person, filled, valid, config, motion)
    return as_tracks(head, subject, filled, state, ~valid)


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


def state_of(tracks: Tracks) -> np.ndarray:
    """The solver's state [T, 6 + M] of an artifact."""
    parts = (tracks.rotation, tracks.translation, tracks.expression, tracks.jaw, tracks.eyes)
    return np.concatenate(parts, axis=1).astype(np.float64)


def as_tracks(
    head: HeadModel,
    subject: Subject,
    points: np.ndarray,
    state: np.ndarray,
    interpolated: np.ndarray,
    neck: np.ndarray | None = None,
) -> Tracks:
    """Put the solver's `state` [T, 6 + M] into the artifact, with each landmark's error; `neck` [T, 3] rests if None."""
    units = len(head.expression_names)
    state = state.astype(np.float32)
    tracks = Tracks(
        head_model=head.name,
        expression_names=list(head.expression_names),
        shape=subject.shape.astype(np.float32),
        expression=state[:, POSE : POSE + units],
        jaw=state[:, POSE + units : POSE + units + 3],
        neck=np.zeros((len(state), 3), np.float32) if neck is None else neck.astype(np.float32),
        eyes=state[:, POSE + units + 3 :],
        rotation=state[:, :3],
        translation=state[:, 3:POSE],
        camera=dict(subject.camera),
        landmark_error=np.zeros((len(state), LANDMARKS), np.float32),
        interpolated=interpolated.astype(bool),
    )
    error = np.linalg.norm(model_points(head, tracks, subject.landmark_offsets) - points[..., :2], axis=-1)
    return Tracks(**{**tracks.__dict__, "landmark_error": error.astype(np.float32)})
