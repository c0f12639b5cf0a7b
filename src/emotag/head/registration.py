"""The MakeHuman head laid onto another head's surface, so that the other one can take over its names.

Regions, landmarks and named units of the MakeHuman head are known; a head of another topology gets them from the
registered surface. Both heads look along +z with y up. First the identity components and a similarity are fitted by iterative
closest points (Besl & McKay 1992, point to plane after Chen & Medioni 1991), then what is left is taken up by a smooth
displacement (after Amberg et al. 2007, "Optimal step nonrigid ICP", with a Laplacian in the stiffness' place).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse
import scipy.sparse.linalg
import torch

from emotag.geometry.closest import Closest, closest_on_mesh, face_normals
from emotag.head.arkit import ArkitHead
from emotag.head.landmark_embedding import LandmarkEmbedding
from emotag.head.regions import PARTS

log = logging.getLogger(__name__)
# What is matched to the other surface; eyeballs, teeth and tongue of the two heads need not agree.
MATCHED = ("skin", "lips", "eyelids", "brows")
ROUNDS, STIFFNESS = 14, (30.0, 10.0, 3.0, 1.0, 0.3)
NEAR_M, SHAPE_WEIGHT, EYE_WEIGHT, ANCHOR_WEIGHT = 0.02, 2e-3, 30.0, 3.0
AGREEMENT = 0.5
UPPER_LIP = 0  # MediaPipe's point on the upper edge of the upper lip


@dataclass(frozen=True)
class Surface:
    """A head to be named: `vertices` [V, 3] m at rest, `faces` [F, 3], `eyeball` [2, V] bool (left, right) and `anchors`
    {MediaPipe point: position [3]} that are known beforehand (may be empty)."""

    vertices: np.ndarray
    faces: np.ndarray
    eyeball: np.ndarray
    anchors: Mapping[int, np.ndarray]

    @property
    def skin_faces(self) -> np.ndarray:
        """[f, 3]: the faces that are on no eyeball."""
        return self.faces[~self.eyeball.any(0)[self.faces].any(1)]


@dataclass(frozen=True)
class Registered:
    """The MakeHuman head's vertices [V, 3] m where they lie on the other head, and the `scale` from its metres."""

    head: ArkitHead
    vertices: np.ndarray
    scale: float


def register(head: ArkitHead, target: Surface) -> Registered:
    """Lay `head` onto `target`."""
    neutral = head.neutral.double().numpy()
    basis = head.shape_basis.double().numpy().reshape(head.shape_size, -1, 3)
    eyes = np.stack([target.vertices[mask].mean(0) for mask in target.eyeball])
    own = np.stack([neutral[index.numpy()].mean(0) for index in head.eyeballs])
    scale = np.linalg.norm(eyes[0] - eyes[1]) / np.linalg.norm(own[0] - own[1])
    moved = scale * (neutral - own.mean(0)) + eyes.mean(0)
    moved = _fit_components(head, moved, scale * basis, target, eyes)
    for stiffness in STIFFNESS:
        moved = moved + _smooth_displacement(head, moved, target, stiffness)
    return Registered(head, moved, scale)


def _targets(head: ArkitHead, moved: np.ndarray, target: Surface) -> tuple[np.ndarray, Closest, np.ndarray]:
    """Matched vertices [n], their closest points on the target and the normals there."""
    faces = head.faces.numpy()
    chosen = np.zeros(len(moved), bool)
    for name in MATCHED:
        chosen |= head.vertex_regions[name].numpy()
    index = np.flatnonzero(chosen & head.vertex_regions["face"].numpy())
    normals = vertex_normals(moved, faces)[index]
    found = closest_on_mesh(moved[index], target.vertices, target.skin_faces, normals, AGREEMENT)
    near = found.distance < NEAR_M
    kept = Closest(found.face[near], found.barycentric[near], found.position[near], found.distance[near])
    return index[near], kept, face_normals(target.vertices, target.skin_faces)[kept.face]


def vertex_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [V, 3], the mean of the faces' weighted by their areas."""
    corners = vertices[faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    total = np.zeros_like(vertices)
    for corner in range(3):
        np.add.at(total, faces[:, corner], normal)
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-15)


def _anchors(head: ArkitHead, target: Surface, moved: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles [n, 3], weights [n, 3] of the anchored landmarks and where they should be, less where they are [n, 3]."""
    points = np.array(sorted(target.anchors), int)
    triangles = head.embedding.triangles.numpy()[points]
    weights = head.embedding.barycentric.double().numpy()[points]
    wanted = np.array([target.anchors[point] for point in points]).reshape(-1, 3)
    return triangles, weights, wanted - np.einsum("nc,ncd->nd", weights, moved[triangles])


def _fit_components(
    head: ArkitHead, moved: np.ndarray, basis: np.ndarray, target: Surface, eyes: np.ndarray
) -> np.ndarray:
    """Vertices [V, 3] after the identity components [S, V, 3] and a similarity are fitted."""
    size, shape = len(basis), np.zeros(len(basis))
    base = moved
    for _ in range(ROUNDS):
        current = base + np.tensordot(shape, basis, 1)
        index, closest, normal = _targets(head, current, target)
        modes = np.concatenate([basis, similarity_modes(current)])
        rows = [np.einsum("mnd,nd->nm", modes[:, index], normal)]
        rest = [((closest.position - current[index]) * normal).sum(1)]
        balls = np.stack([modes[:, ball.numpy()].mean(1) for ball in head.eyeballs], 1)
        rows.append(EYE_WEIGHT * balls.transpose(1, 2, 0).reshape(6, -1))
        own = np.stack([current[ball.numpy()].mean(0) for ball in head.eyeballs])
        rest.append(EYE_WEIGHT * (eyes - own).ravel())
        triangles, weights, away = _anchors(head, target, current)
        pulled = np.einsum("nc,mncd->ndm", weights, modes[:, triangles]).reshape(-1, len(modes))
        rows.append(ANCHOR_WEIGHT * pulled)
        rest.append(ANCHOR_WEIGHT * away.ravel())
        prior = np.concatenate([np.full(size, SHAPE_WEIGHT), np.full(7, 1e-9)]) * np.sqrt(len(index)) * 0.1
        rows.append(np.diag(prior))
        rest.append(-prior * np.concatenate([shape, np.zeros(7)]))
        step = np.linalg.lstsq(np.concatenate(rows), np.concatenate(rest), rcond=None)[0]
        shape = shape + step[:size]
        base = base + np.tensordot(step[size:], modes[size:], 1)
    log.info("identity fitted, %.2f mm to the surface in the median", 1000 * np.median(closest.distance))
    return base + np.tensordot(shape, basis, 1)


def similarity_modes(vertices: np.ndarray) -> np.ndarray:
    """First-order motions [7, V, 3]: three shifts, three turns about the middle, growth."""
    centred = vertices - vertices.mean(0)
    shifts = np.broadcast_to(np.eye(3)[:, None], (3, *vertices.shape))
    turns = np.stack([np.cross(axis, centred) for axis in np.eye(3)])
    return np.concatenate([shifts, turns, centred[None]])


def _smooth_displacement(head: ArkitHead, moved: np.ndarray, target: Surface, stiffness: float) -> np.ndarray:
    """[V, 3] that brings matched vertices to their closest points and bends everything else as little as it can."""
    index, closest, _ = _targets(head, moved, target)
    laplacian = _laplacian(head.faces.numpy(), len(moved))
    select = scipy.sparse.csr_matrix((np.ones(len(index)), (np.arange(len(index)), index)), (len(index), len(moved)))
    triangles, weights, away = _anchors(head, target, moved)
    rows = np.repeat(np.arange(len(triangles)), 3)
    pull = scipy.sparse.csr_matrix((weights.ravel(), (rows, triangles.ravel())), (len(triangles), len(moved)))
    small = 1e-3 * scipy.sparse.identity(len(moved))
    matrix = select.T @ select + stiffness * laplacian.T @ laplacian + ANCHOR_WEIGHT * pull.T @ pull + small
    right = select.T @ (closest.position - moved[index]) + ANCHOR_WEIGHT * pull.T @ away
    return scipy.sparse.linalg.splu(matrix.tocsc()).solve(right)


def _laplacian(faces: np.ndarray, count: int) -> scipy.sparse.csr_matrix:
    """Each vertex less the mean of its neighbours."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = np.concatenate([edges, edges[:, ::-1]])
    links = scipy.sparse.csr_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    links.data[:] = 1.0
    degree = np.maximum(np.asarray(links.sum(1)).ravel(), 1)
    return scipy.sparse.identity(count) - scipy.sparse.diags(1 / degree) @ links


def transferred_labels(registered: Registered, target: Surface) -> tuple[np.ndarray, np.ndarray]:
    """Region [F] (index into `PARTS`) of the target's faces by the nearest registered face that looks the same way, and
    whether each belongs to `face` [F]; eyeballs by the target's own mask."""
    head, faces = registered.head, registered.head.faces.numpy()
    label = np.zeros(len(faces), np.uint8)
    for number, name in enumerate(PARTS):
        label[head.face_regions[name].numpy()] = number
    # The other head's teeth, tongue and lashes are its own affair.
    surface = np.isin(label, [PARTS.index(n) for n in PARTS if n not in ("eyeballs", "teeth", "tongue", "lashes")])
    centres = target.vertices[target.faces].mean(1)
    normals = face_normals(target.vertices, target.faces)
    found = closest_on_mesh(centres, registered.vertices, faces[surface], normals, 0.0)
    source = np.flatnonzero(surface)[found.face]
    result, front = label[source], head.face_regions["face"].numpy()[source]
    # The MakeHuman head counts the nostrils among what is inside.
    top = head.embedding.triangles[UPPER_LIP].numpy()
    nostrils = (result == PARTS.index("mouth_interior")) & (centres[:, 1] > registered.vertices[top, 1].mean())
    result[nostrils], front[nostrils] = PARTS.index("skin"), True
    ball = target.eyeball.any(0)[target.faces].any(1)
    result[ball] = PARTS.index("eyeballs")
    return result, front & ~ball


def transferred_landmarks(registered: Registered, target: Surface) -> LandmarkEmbedding:
    """MediaPipe's points on the target: where the registered head has them, irises on the eyeballs. Offsets are zero."""
    head = registered.head
    triangles = head.embedding.triangles.numpy()
    weights = head.embedding.barycentric.double().numpy()
    points = np.einsum("nc,ncd->nd", weights, registered.vertices[triangles])
    normals = face_normals(registered.vertices, triangles)
    eyes = np.isin(triangles[:, 0], np.concatenate([index.numpy() for index in head.eyeballs]))
    ball = target.eyeball.any(0)[target.faces].all(1)
    chosen, bary = np.zeros((len(points), 3), int), np.zeros((len(points), 3))
    for mask, faces in ((eyes, target.faces[ball]), (~eyes, target.skin_faces)):
        found = closest_on_mesh(points[mask], target.vertices, faces, normals[mask], 0.0)
        chosen[mask], bary[mask] = faces[found.face], found.barycentric
    return LandmarkEmbedding(
        torch.from_numpy(chosen),
        torch.from_numpy(bary).float(),
        torch.zeros(len(points), 3),
        head.embedding.spread.clone(),
    )
