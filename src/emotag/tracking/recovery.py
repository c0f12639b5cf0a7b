"""How well a synthetic clip's known head is found again: masks, vertices, jaw, lids and pose against the truth."""

from dataclasses import replace

import numpy as np
import torch
from scipy.spatial.transform import Rotation

from emotag.artifacts import Tracks
from emotag.head.base import HeadModel
from emotag.head.landmark_sets import LEFT_LID_PAIRS, RIGHT_LID_PAIRS
from emotag.metrics.events import blinks, f1
from emotag.tracking.lip_measures import STABLE
from emotag.tracking.posing import CHUNK_FRAMES, posed_vertices

# The chin's bone, in MediaPipe's mesh.
CHIN = (152, 148, 377, 175, 171, 396)
# A blink is found when it is seen within this many frames.
BLINK_TOLERANCE = 2
MIDDLE = slice(2, 5)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two masks; 1 where both are empty."""
    union = np.logical_or(a, b).sum()
    return float(np.logical_and(a, b).sum() / union) if union else 1.0


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation [3, 3] and shift [3] that bring points `source` [P, 3] to `target` [P, 3] by least squares.

    Source: Umeyama, "Least-squares estimation of transformation parameters between two point patterns", PAMI 1991.
    """
    from_mean, to_mean = source.mean(0), target.mean(0)
    a, b = source - from_mean, target - to_mean
    u, values, vt = np.linalg.svd(b.T @ a)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((values * sign).sum() / (a**2).sum())
    return scale, rotation, to_mean - scale * rotation @ from_mean


def cut(tracks: Tracks, frames: int) -> Tracks:
    """The first `frames` frames."""
    names = ("expression", "jaw", "neck", "eyes", "rotation", "translation", "landmark_error", "interpolated")
    return replace(tracks, **{name: getattr(tracks, name)[:frames] for name in names})


def at_rest(tracks: Tracks) -> Tracks:
    """The same motion of a head that stays where it is: no rotation, no translation, no neck."""
    still = {name: np.zeros_like(getattr(tracks, name)) for name in ("rotation", "translation", "neck")}
    return replace(tracks, **still)


def skull(head: HeadModel) -> np.ndarray:
    """Vertices [V] bool over the bone that pictures show: under the mesh's points of forehead, temples, eye corners and
    the bridge of the nose. The scalp lies under hair, where no tracker of pictures can know it."""
    chosen = np.zeros(len(head.vertex_regions["lips"]), bool)
    chosen[head.embedding.triangles.cpu().numpy()[list(STABLE)]] = True
    return chosen


def lip_errors_mm(head: HeadModel, found: list[Tracks], true: list[Tracks]) -> np.ndarray:
    """How far right, up and forward [all frames x lip vertices, 3] mm the found lips lie of the true ones, in the head's own
    frame.

    One similarity a person brings the found skull to the true one; expression, jaw and shape are all that is compared.
    """
    lips = head.vertex_regions["lips"].numpy()
    fixed = skull(head)
    rest = [_rest_vertices(head, tracks[0]) for tracks in (found, true)]
    scale, rotation, shift = similarity(rest[0][fixed], rest[1][fixed])
    errors = []
    for ours, theirs in zip(found, true, strict=True):
        for start in range(0, len(theirs.expression), CHUNK_FRAMES):
            part = slice(start, start + CHUNK_FRAMES)
            a, b = (posed_vertices(head, at_rest(tracks), part)[:, lips].double().numpy() for tracks in (ours, theirs))
            errors.append((scale * a @ rotation.T + shift - b).reshape(-1, 3))
    return 1000 * np.concatenate(errors)


def _rest_vertices(head: HeadModel, tracks: Tracks) -> np.ndarray:
    """The person's head [V, 3] m with every unit at zero."""
    names = ("expression", "jaw", "neck", "eyes", "rotation", "translation")
    zeros = {name: np.zeros_like(getattr(tracks, name)[:1]) for name in names}
    return posed_vertices(head, replace(tracks, **zeros), slice(0, 1))[0].double().numpy()


def jaw_opening_mm(head: HeadModel, tracks: Tracks) -> np.ndarray:
    """How far the chin has gone down [T] mm in the head's own frame, whichever channels moved it.

    Two fits may open the same mouth by different shares of jaw and units: what the chin does can be compared, the jaw's
    angle cannot.
    """
    rest = head.landmarks(torch.from_numpy(_rest_vertices(head, tracks)).float()[None])[0, list(CHIN), 1]
    return 1000 * (float(rest.mean()) - _landmarks_at_rest(head, tracks)[:, list(CHIN), 1].mean(1))


def _landmarks_at_rest(head: HeadModel, tracks: Tracks) -> np.ndarray:
    """The 478 points [T, 478, 3] m of every frame in the head's own frame."""
    still, parts = at_rest(tracks), []
    for start in range(0, len(tracks.expression), CHUNK_FRAMES):
        vertices = posed_vertices(head, still, slice(start, start + CHUNK_FRAMES))
        parts.append(head.landmarks(vertices).double().numpy())
    return np.concatenate(parts)


def jaw_correlations(head: HeadModel, found: list[Tracks], true: list[Tracks]) -> dict[str, float]:
    """Pearson correlations of the jaw's opening: `clips`, of the chin within each clip, in the mean over clips; `pooled`, of
    the chin over all frames; `angle`, of the jaw's channel over all frames."""
    ours, theirs = ([jaw_opening_mm(head, tracks) for tracks in side] for side in (found, true))
    angles = (np.concatenate([tracks.jaw[:, 0] for tracks in side]) for side in (found, true))
    return {
        "clips": float(np.mean([np.corrcoef(a, b)[0, 1] for a, b in zip(ours, theirs, strict=True)])),
        "pooled": float(np.corrcoef(np.concatenate(ours), np.concatenate(theirs))[0, 1]),
        "angle": float(np.corrcoef(*angles)[0, 1]),
    }


def blink_f1(head: HeadModel, found: list[Tracks], true: list[Tracks]) -> float:
    """F1 of blinks (`emotag.metrics.events.blinks` of the gap between the lids) over all clips, within two frames."""
    events = [[], []]
    for clip, pair in enumerate(zip(found, true, strict=True)):
        for side, tracks in zip(events, pair, strict=True):
            side.append(10_000 * clip + blinks(lid_gaps_mm(head, tracks)))
    ours, theirs = (np.concatenate(side) for side in events)
    return f1(theirs, ours, BLINK_TOLERANCE)


def lid_gaps_mm(head: HeadModel, tracks: Tracks) -> np.ndarray:
    """Height [T] mm of the opening between the middles of the lids, the mean of both eyes, in the head's own frame;
    negative where they pass each other. Lids hang, squint and follow the gaze: no single unit says how open an eye is."""
    upper, lower = np.array([*RIGHT_LID_PAIRS[MIDDLE], *LEFT_LID_PAIRS[MIDDLE]]).T
    points = _landmarks_at_rest(head, tracks)
    return 1000 * (points[:, upper, 1] - points[:, lower, 1]).mean(1)


def head_degrees(found: list[Tracks], true: list[Tracks]) -> np.ndarray:
    """Angle [all frames] in degrees between found and true head rotations, after one constant turn a person.

    The constant is the mean turn from found to true: which pose of a head is 'straight' is a part of its shape.
    """
    ours, theirs = (Rotation.from_rotvec(np.concatenate([t.rotation for t in side])) for side in (found, true))
    constant = (theirs * ours.inv()).mean()
    return np.degrees((theirs * (constant * ours).inv()).magnitude())


def unit_correlations(found: np.ndarray, true: np.ndarray, names: list[str]) -> dict[str, float]:
    """Pearson correlation of each action unit [T, A] that the truth moves (deviation over 0.1 of 5)."""
    moving = true.std(0) > 0.1
    return {
        name: float(np.corrcoef(found[:, i], true[:, i])[0, 1]) if found[:, i].std() > 0 else 0.0
        for i, name in enumerate(names)
        if moving[i]
    }
