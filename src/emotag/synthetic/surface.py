"""Finer triangles and noise in space: what the demo's talker needs beyond the head model's own mesh."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates

LATTICE = 48


@dataclass(frozen=True)
class Subdivision:
    """Every triangle split into four, `levels` times, at the edges' midpoints (flat: shape does not change).

    `faces` [4^levels F, 3]; `edges`, one a level: the [M, 2] vertices between which the new ones lie; `parent` [F'] the
    face of the original mesh.
    """

    faces: np.ndarray
    edges: list[np.ndarray]
    parent: np.ndarray

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Values [V, D] at the vertices to [V', D] at all vertices, old ones first."""
        for pair in self.edges:
            values = np.concatenate([values, 0.5 * (values[pair[:, 0]] + values[pair[:, 1]])])
        return values


def subdivide(faces: np.ndarray, vertex_count: int, levels: int) -> Subdivision:
    """Split the triangles `faces` [F, 3] of a mesh with `vertex_count` vertices."""
    faces = np.asarray(faces, np.int64)
    parent = np.arange(len(faces))
    pairs = []
    for _ in range(levels):
        sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), 1)
        unique, inverse = np.unique(sides, axis=0, return_inverse=True)
        middle = vertex_count + inverse.reshape(-1, 3)
        (a, b, c), (ab, bc, ca) = faces.T, middle.T
        corners = [(a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca)]
        faces = np.stack([np.stack(corner, 1) for corner in corners], 1).reshape(-1, 3)
        parent = parent.repeat(4)
        pairs.append(unique)
        vertex_count += len(unique)
    return Subdivision(faces, pairs, parent)


class Noise:
    """Seeded value noise in space: random values on a periodic lattice of 48 cells, linear in between."""

    def __init__(self, seed: int) -> None:
        self.lattice = np.random.default_rng([seed, 3]).uniform(-1.0, 1.0, (LATTICE,) * 3)

    def __call__(self, points: np.ndarray, wavelength: float | tuple[float, float, float]) -> np.ndarray:
        """Noise [P] of about unit range at `points` [P, 3]; `wavelength` in the points' unit, or one an axis."""
        cells = (points / np.asarray(wavelength)).T
        return map_coordinates(self.lattice, cells, order=1, mode="grid-wrap")


def smoothstep(values: np.ndarray, low: float, high: float) -> np.ndarray:
    """0 below `low`, 1 above `high`, a smooth cubic between."""
    share = np.clip((values - low) / (high - low), 0.0, 1.0)
    return share * share * (3.0 - 2.0 * share)


def lowest_loop(faces: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Vertices [L] along the open edge through the lowest vertex of it, in order; `heights` [V]."""
    directed = np.asarray(faces)[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    known = {(int(a), int(b)) for a, b in directed}
    following = {int(a): int(b) for a, b in directed if (int(b), int(a)) not in known}
    loop = [min(following, key=lambda vertex: heights[vertex])]
    while following[loop[-1]] != loop[0]:
        loop.append(following[loop[-1]])
    return np.array(loop)
