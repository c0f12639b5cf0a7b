"""Hair below the ears: a curtain round the back of the head that turns with it."""

import numpy as np

from emotag.synthetic.appearance import Look, linear
from emotag.synthetic.surface import Noise, Subdivision, smoothstep, subdivide

ROWS, COLUMNS = 14, 49
# The curtain begins inside the hair of the scalp, and ends in front of the ears (angle from the back of the head).
TOP_M, REACH_RAD = 0.055, np.radians(112.0)
# Heights over the ears, and the curtain's half width and half depth there over the head's.
_HEIGHTS = np.array([-0.25, -0.16, -0.10, -0.05, 0.0, 0.03, 0.055])
_WIDE = np.array([1.12, 1.14, 1.16, 1.14, 1.09, 1.02, 0.95])
LEVELS = 1


class LongHair:
    """The curtain for one head: `points` [P, 3] m at rest, `faces` [F, 3], linear `colours` [P, 3]."""

    def __init__(self, rest: np.ndarray, scalp: np.ndarray, look: Look, seed: int) -> None:
        """`rest` [V, 3] m: the person's head with its hair standing off; `scalp` [V] bool."""
        noise = Noise(seed)
        grid = self._grid(rest[scalp], look.hair_length, noise)
        division = self._division()
        self.faces = division.faces
        self.coarse = division(grid)
        along = division(np.linspace(0, 1, ROWS).repeat(COLUMNS)[:, None])[:, 0]
        across = division(np.tile(np.linspace(-1, 1, COLUMNS), ROWS)[:, None])[:, 0]
        place = np.stack([across, 0.12 * along, along * 0], 1)
        strands = 1.0 + 0.45 * noise(place, (0.016, 0.05, 1.0)) + 0.35 * noise(place, (0.05, 0.08, 1.0))
        depth = 1 - 0.35 * smoothstep(along, 0.3, 1.0)
        self.colours = (linear(look.hair) * (strands * depth)[:, None]).clip(0, 1)
        self.points = self.coarse + 0.0025 * strands[:, None] * _outwards(self.coarse)

    @staticmethod
    def _division() -> Subdivision:
        here = np.arange((ROWS - 1) * COLUMNS).reshape(ROWS - 1, COLUMNS)[:, :-1].ravel()
        faces = [
            np.stack([here, here + COLUMNS, here + 1], 1),
            np.stack([here + 1, here + COLUMNS, here + COLUMNS + 1], 1),
        ]
        return subdivide(np.concatenate(faces), ROWS * COLUMNS, LEVELS)

    @staticmethod
    def _grid(scalp: np.ndarray, length: float, noise: Noise) -> np.ndarray:
        """Points [ROWS * COLUMNS, 3] from the top row down, from the right side round the back to the left."""
        half_width, back = np.abs(scalp[:, 0]).max(), -scalp[:, 2].min()
        middle = (0.03 - back) / 2
        angle = np.linspace(-REACH_RAD, REACH_RAD, COLUMNS)
        ragged = 1 + 0.06 * noise(np.stack([angle, angle * 0, angle * 0], 1), 0.15)
        rows = []
        for share in np.linspace(0, 1, ROWS):
            y = TOP_M - share * (TOP_M + length) * np.where(share > 0, ragged, 1.0)
            wide = np.interp(y, _HEIGHTS, _WIDE)
            wave = 1 + 0.015 * np.sin(9 * angle + 14 * share)
            x = half_width * wide * wave * np.sin(angle)
            z = middle - (back + middle) * wide * wave * np.cos(angle)
            rows.append(np.stack([x, y, z], 1))
        return np.concatenate(rows)


def _outwards(points: np.ndarray) -> np.ndarray:
    """Horizontal unit directions [P, 3] away from the head's middle line."""
    away = points * np.array([1.0, 0.0, 1.0]) - np.array([0.0, 0.0, -0.03])
    return away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-9)
