"""A sphere of evenly spread vertices."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sphere:
    """`vertices` [V, 3] at distance 1 from the origin, `faces` [F, 3] seen anticlockwise from outside."""

    vertices: np.ndarray
    faces: np.ndarray


def icosphere(subdivisions: int = 2) -> Sphere:
    """An icosahedron whose triangles are divided in four `subdivisions` times (2: 162 vertices, 320 faces)."""
    golden = (1 + np.sqrt(5)) / 2
    ring = [(s, t * golden, 0.0) for s in (-1.0, 1.0) for t in (-1.0, 1.0)]
    vertices = np.array([np.roll(corner, shift) for shift in range(3) for corner in ring])
    vertices = vertices / np.linalg.norm(vertices[0])
    near = np.linalg.norm(vertices[:, None] - vertices[None], axis=-1) < 1.1
    faces = [
        (a, b, c)
        for a in range(12) for b in range(a + 1, 12) for c in range(b + 1, 12)
        if near[a, b] and near[b, c] and near[a, c]
    ]  # fmt: skip
    faces = np.array(faces)
    corners = vertices[faces]
    inward = np.einsum("fd,fd->f", np.cross(corners[:, 1], corners[:, 2]), corners[:, 0]) < 0
    faces[inward] = faces[inward][:, ::-1]
    for _ in range(subdivisions):
        vertices, faces = _divided(vertices, faces)
    return Sphere(vertices, faces)


def _divided(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, index = np.unique(edges, axis=0, return_inverse=True)
    middle = vertices[unique].mean(1)
    middle = middle / np.linalg.norm(middle, axis=1, keepdims=True)
    ab, bc, ca = (index.reshape(3, -1) + len(vertices)).reshape(3, -1)
    a, b, c = faces.T
    quarters = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
    return np.concatenate([vertices, middle]), np.concatenate([np.stack(quarter, 1) for quarter in quarters])
