"""Photometric refinement: tracks that the landmarks gave are moved until the pictures agree with each other.

Vertices of the face carry their usual value in a band-passed picture, learnt from the adaptation part's frames. The
landmarks stay in the fit as anchors: the pictures decide below a pixel and where the detector trembles, the detector
decides how far mouth and eyes are open. Values and tracks take turns. Source: bundle adjustment without features (direct
methods, Irani & Anandan 1999), as in photometric face trackers (Thies et al., "Face2Face", 2016).
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch

from emotag.artifacts import Subject, Tracks
from emotag.config import TrackConfig
from emotag.geometry.camera import Camera
from emotag.head.base import HeadModel
from emotag.parts import spread
from emotag.tracking.band_pass import band_pass
from emotag.tracking.contacts import eye_gaps
from emotag.tracking.eye_patterns import eye_patches, openness, shut_share
from emotag.tracking.fit import as_tracks, fill_gaps, state_of, track_problem
from emotag.tracking.landmark_basis import PosedBasis, build, vertices_of
from emotag.tracking.optimiser import Estimate, minimise
from emotag.tracking.photometric import Photometric, project_points, sampled
from emotag.tracking.point_weights import INNER_LIPS, IRISES, LIDS, OUTER_LIPS
from emotag.tracking.posing import posed_vertices
from emotag.tracking.regions import INDEX
from emotag.tracking.vertex_colours import bilinear, visible

log = logging.getLogger(__name__)
SIZE_PX = 256
# Not the lips and lids: what lies next to them opens and closes.
REGIONS = ("skin", "brows")
MOST = 1600  # vertices; of a finer mesh some are taken, so that the pictures weigh the same whatever the head model
LABELS = tuple(INDEX[name] for name in ("skin", "brows", "lips"))
MARGIN = 7 / 512  # of the picture's width, kept from hair and background
FRONTAL = 0.35  # cosine to the line of sight
OFTEN = 0.2  # share of the frames in which a vertex must be seen
NOISE = 0.01  # of luma; a vertex's values scatter by this much at least
CAUCHY = 2.0  # standard deviations
GAINS = (0.5, 2.0)
ROUNDS, STEPS = 3, 4
# How much more landmarks and spans of lips, lids and irises count than in the fit to landmarks alone.
ANCHOR_POINTS, ANCHOR_SPANS = 2.0, 3.0


@dataclass(frozen=True)
class Sightings:
    """`pictures` [T, H, W] int16 (see `band_pass`), their `camera`, `weights` [T, N]: the cosine to the line of sight
    where a point is seen, else 0; and the `eyes`' patches [T, 2, K]."""

    pictures: np.ndarray
    camera: Camera
    weights: np.ndarray
    eyes: np.ndarray


@dataclass(frozen=True)
class Appearance:
    """What a clip's points look like: `values` [N], `deviation` [N] of the residuals and each frame's `gain` [T]; `known`
    [N] bool: seen often enough."""

    values: np.ndarray
    deviation: np.ndarray
    gain: np.ndarray
    known: np.ndarray


def watched(head: HeadModel) -> torch.Tensor:
    """Numbers [N] of the vertices whose value is compared."""
    chosen = torch.zeros_like(head.vertex_regions["face"])
    for name in REGIONS:
        chosen |= head.vertex_regions[name]
    index = (chosen & head.vertex_regions["face"]).nonzero()[:, 0]
    return index[spread(len(index), MOST)]


def look(
    head: HeadModel,
    tracks: Tracks,
    points: np.ndarray,
    footage: Iterable[tuple[np.ndarray, np.ndarray]],
    index: torch.Tensor,
) -> Sightings:
    """Read `footage`, a (picture [H, W, 3], labels [H, W]) for every tracked frame with its landmarks `points`, and see which
    of the vertices `index` [N] are in view, in front, and inside the face's labels; frames without a face count for
    nothing."""
    camera = Camera.from_dict(tracks.camera).resized(SIZE_PX, SIZE_PX)
    faces, chosen = head.faces.cpu().numpy(), index.cpu().numpy()
    bands, weights, eyes = [], [], []
    for number, (picture, labels) in enumerate(footage):
        bands.append(band_pass(picture, SIZE_PX))
        eyes.append(eye_patches(picture, points[number]))
        vertices = posed_vertices(head, tracks, slice(number, number + 1))[0].double()
        cosine = visible(vertices.numpy(), faces, camera)[chosen]
        inside = bilinear(_inner(labels)[..., None], camera.project(vertices[index]).numpy())[:, 0] > 0.5
        seen = inside & (cosine > FRONTAL) & ~tracks.interpolated[number]
        weights.append(np.where(seen, cosine, 0).astype(np.float32))
    return Sightings(np.stack(bands), camera, np.stack(weights), np.stack(eyes))


def _shut(eyes: np.ndarray, points: np.ndarray, valid: np.ndarray, part: slice) -> np.ndarray:
    """How shut the eyes are [T] by their patches [T, 2, K]."""
    gaps = eye_gaps(points)
    learnt = np.flatnonzero(valid[part]) + (part.start or 0)
    return shut_share(openness(eyes, learnt), gaps / np.median(gaps[valid], axis=0))


def _inner(labels: np.ndarray) -> np.ndarray:
    """The face's labels without their rim [SIZE_PX, SIZE_PX], 0 or 1."""
    face = np.isin(labels, LABELS).astype(np.float32)
    face = (cv2.resize(face, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_AREA) > 0.5).astype(np.uint8)
    width = 2 * round(MARGIN * SIZE_PX / 2) + 1
    return cv2.erode(face, np.ones((width, width), np.uint8)).astype(np.float32)


def appearance(values: np.ndarray, weights: np.ndarray, part: slice) -> Appearance:
    """Learn from the frames `part` what points with `values` [T, N], seen with `weights` [T, N], usually look like."""
    seen = weights > 0
    known = seen[part].mean(0) > OFTEN
    usual = _median(values[part], seen[part], known)
    against = (weights * usual**2).sum(1)
    gain = np.where(against > 0, (weights * values * usual).sum(1) / np.maximum(against, 1e-12), 1.0).clip(*GAINS)
    away = np.abs(values - gain[:, None] * usual)
    scatter = 1.4826 * _median(away[part], seen[part], known)
    return Appearance(usual, np.hypot(scatter, NOISE), gain, known)


def _median(values: np.ndarray, seen: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Median [N] over the frames in which a point is seen; 0 where it is not `known` [N]."""
    result = np.zeros(values.shape[1])
    result[known] = np.nanmedian(np.where(seen[:, known], values[:, known], np.nan), axis=0)
    return result


def refine(
    head: HeadModel,
    subject: Subject,
    tracks: Tracks,
    points: np.ndarray,
    footage: Iterable[tuple[np.ndarray, np.ndarray]],
    part: slice,
    config: TrackConfig,
) -> Tracks:
    """Refine `tracks` of the landmarks `points` [T, 478, 3] px by the clip's `footage` (see `look`); what the face looks
    like is learnt from the frames `part` alone."""
    index = watched(head)
    valid = ~tracks.interpolated
    filled = fill_gaps(points, valid)
    sightings = look(head, tracks, filled, footage, index)
    surface = build(head, 0, torch.from_numpy(subject.shape), points=vertices_of(index))
    surface = surface.posed(torch.zeros(0), torch.zeros(len(index), 3))
    shut = _shut(sightings.eyes, filled, valid, part)
    problem = track_problem(head, subject, filled, valid, config, shut)
    weights, pair_weights = problem.observations.weights.clone(), problem.observations.pair_weights
    weights[:, sorted({*INNER_LIPS, *OUTER_LIPS, *LIDS, *IRISES})] *= ANCHOR_POINTS
    anchored = replace(problem.observations, weights=weights, pair_weights=ANCHOR_SPANS * pair_weights)
    problem = replace(problem, observations=anchored)
    estimate = Estimate(state_of(tracks), np.zeros(0), np.inf)
    for _ in range(ROUNDS):
        term = _term(surface, sightings, estimate, part, config.photometric)
        estimate = minimise(replace(problem, photometric=term), estimate, STEPS)
    return as_tracks(head, subject, filled, estimate.state, tracks.interpolated)


def _term(surface: PosedBasis, sightings: Sightings, estimate: Estimate, part: slice, strength: float) -> Photometric:
    """The pictures' part of the problem, with the appearance at `estimate`."""
    pixels = project_points(surface, torch.from_numpy(estimate.state).float(), sightings.camera)
    values, _ = sampled(sightings.pictures, pixels)
    found = appearance(values, sightings.weights, part)
    expected = found.gain[:, None] * found.values
    weights = sightings.weights * found.known
    misfit = np.sqrt((weights * (values - expected) ** 2).sum() / max(weights.sum(), 1e-9))
    log.info("%d vertices compared, misfit %.4f of luma", found.known.sum(), misfit)
    return Photometric(
        points=surface,
        pictures=sightings.pictures,
        camera=sightings.camera,
        expected=expected,
        deviation=found.deviation,
        weights=strength * weights,
        cauchy=CAUCHY,
    )
