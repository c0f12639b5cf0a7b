"""Closest points on a triangle mesh (Ericson, "Real-Time Collision Detection", 2004, Sec. 5.1.5)."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

CANDIDATES = 16


@dataclass(frozen=True)
class Closest:
    """Per point: `face` [N], `barycentric` [N, 3], `position` [N, 3] and `distance` [N] (inf where no face agrees)."""

    face: np.ndarray
    barycentric: np.ndarray
    position: np.ndarray
    distance: np.ndarray


def face_normals(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Unit normals [F, 3] (zero where a face has no area)."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    normal = np.cross(b - a, c - a)
    return normal / np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-15)


def closest_on_mesh(
    points: np.ndarray,
    vertices: np.ndarray,
    faces: np.ndarray,
    normals: np.ndarray | None = None,
    agreement: float = 0.3,
) -> Closest:
    """Closest surface point of each of `points` [N, 3] among the faces with the nearest centres.

    With `normals` [N, 3] only faces count whose own normal has at least the cosine `agreement` to the point's.
    """
    centres = vertices[faces].mean(1)
    _, near = cKDTree(centres).query(points, k=min(CANDIDATES, len(faces)))
    near = near.reshape(len(points), -1)
    weights = barycentric_of(points[:, None], *(vertices[faces[near, i]] for i in range(3)))
    positions = np.einsum("nkc,nkcd->nkd", weights, vertices[faces[near]])
    distance = np.linalg.norm(positions - points[:, None], axis=-1)
    if normals is not None:
        cosine = np.einsum("nkd,nd->nk", face_normals(vertices, faces)[near], normals)
        distance = np.where(cosine < agreement, np.inf, distance)
    best = distance.argmin(1)
    row = np.arange(len(points))
    return Closest(near[row, best], weights[row, best], positions[row, best], distance[row, best])


def barycentric_of(points: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Barycentric weights [..., 3] of the points of triangles (a, b, c) [..., 3] closest to `points` [..., 3]."""
    best, distance = None, None
    inside = _on_plane(points, a, b, c)
    for weights in (inside, *_on_edges(points, a, b, c)):
        found = weights[..., :1] * a + weights[..., 1:2] * b + weights[..., 2:] * c
        away = np.linalg.norm(found - points, axis=-1)
        if best is None:
            # Outside the triangle the plane's point does not count.
            best, distance = weights, np.where((weights >= 0).all(-1), away, np.inf)
            continue
        nearer = away < distance
        best = np.where(nearer[..., None], weights, best)
        distance = np.where(nearer, away, distance)
    return best


def _on_plane(points: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Barycentric weights of the projection on the triangle's plane (negative outside of it)."""
    ab, ac, ap = b - a, c - a, points - a
    d00, d01, d11 = (ab * ab).sum(-1), (ab * ac).sum(-1), (ac * ac).sum(-1)
    d20, d21 = (ap * ab).sum(-1), (ap * ac).sum(-1)
    determinant = d00 * d11 - d01 * d01
    flat = determinant < 1e-24
    safe = np.where(flat, 1.0, determinant)
    v, w = (d11 * d20 - d01 * d21) / safe, (d00 * d21 - d01 * d20) / safe
    return np.where(flat[..., None], -1.0, np.stack([1 - v - w, v, w], -1))


def _on_edges(points: np.ndarray, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> list[np.ndarray]:
    """Barycentric weights of the closest point on each of the three edges."""
    found = []
    corners = (a, b, c)
    for start, end in ((0, 1), (1, 2), (2, 0)):
        along = corners[end] - corners[start]
        length = np.maximum((along**2).sum(-1), 1e-24)
        share = np.clip(((points - corners[start]) * along).sum(-1) / length, 0, 1)
        weights = np.zeros((*share.shape, 3))
        weights[..., start], weights[..., end] = 1 - share, share
        found.append(weights)
    return found
