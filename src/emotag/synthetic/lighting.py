"""Light on the talkers: wrapped diffuse light of three lamps, sky and ground, and Blinn-Phong highlights.

What shades a point from light all round shades it from the lamps as much: they are large and near.
Source: Blinn, "Models of light reflection for computer synthesized pictures", SIGGRAPH 1977.
"""

from dataclasses import dataclass

import numpy as np
from numba import njit

from emotag.render.mesh import MeshFrame


@dataclass(frozen=True)
class Light:
    """Unit `directions` [3, 3] towards the lamps in the camera's frame and their `strengths` [3, 3]; light of `sky` [3]
    and `ground` [3]. Linear light, float32."""

    directions: np.ndarray
    strengths: np.ndarray
    sky: np.ndarray
    ground: np.ndarray


def light_of(directions: np.ndarray, strengths: np.ndarray, sky: np.ndarray, ground: np.ndarray) -> Light:
    """A light whose directions need not have unit length."""
    towards = np.array(directions, np.float32)
    towards /= np.linalg.norm(towards, axis=1, keepdims=True)
    return Light(towards, *(np.array(values, np.float32) for values in (strengths, sky, ground)))


# Key from the upper left, cool fill, rim.
STUDIO = light_of(
    [(-0.45, 0.55, 0.85), (0.75, 0.10, 0.65), (0.55, 0.55, -0.75)],
    [(0.80, 0.76, 0.70), (0.26, 0.29, 0.33), (0.35, 0.36, 0.38)],
    (0.30, 0.31, 0.33),
    (0.14, 0.12, 0.11),
)
# How far light reaches round the edge, as through skin.
WRAP = 0.25
# The highlight's exponent is 2^SHARPNESS.
SHARPNESS, HIGHLIGHT = 5, 0.35


def lit(
    frame: MeshFrame,
    faces: np.ndarray,
    points: np.ndarray,
    surface: np.ndarray,
    behind: np.ndarray,
    light: Light = STUDIO,
    open_share: np.ndarray | None = None,
) -> np.ndarray:
    """Linear light [H, W, 3] float32 of a drawn mesh over the picture `behind` [H, W, 3].

    Args: `points` [V, 3] m in the camera's frame; `surface` [V, 7] normal, linear colour, gloss 0 to 1; `open_share`
    [H / s, W / s] of the light from all round that reaches the surface (`emotag.synthetic.occlusion`; all of it if None).
    """
    if open_share is None:
        open_share = np.ones(frame.depth.shape, np.float32)
    picture = np.ascontiguousarray(behind, np.float32).copy()
    arrays = (np.asarray(points, np.float32), np.asarray(surface, np.float32))
    lamps = (light.directions, light.strengths, light.sky, light.ground)
    _lit(frame.face_index, frame.barycentric, np.asarray(faces, np.int64), *arrays, *lamps, open_share, picture)
    return picture


@njit(cache=True, nogil=True, fastmath=True)
def _lit(index, barycentric, faces, points, surface, directions, strengths, sky, ground, open_share, picture):
    height, width = index.shape
    step = height // open_share.shape[0]
    value, view = np.empty(7, np.float32), np.empty(3, np.float32)
    diffuse, shine = np.empty(3, np.float32), np.empty(3, np.float32)
    for row in range(height):
        for column in range(width):
            f = index[row, column]
            if f < 0:
                continue
            u, v, w = barycentric[row, column, 0], barycentric[row, column, 1], barycentric[row, column, 2]
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            for k in range(7):
                value[k] = u * surface[a, k] + v * surface[b, k] + w * surface[c, k]
            for k in range(3):
                view[k] = -(u * points[a, k] + v * points[b, k] + w * points[c, k])
            nearness = 1 / np.sqrt(view[0] ** 2 + view[1] ** 2 + view[2] ** 2)
            for k in range(3):
                view[k] *= nearness
            length = np.sqrt(value[0] ** 2 + value[1] ** 2 + value[2] ** 2) + np.float32(1e-9)
            x, y, z = value[0] / length, value[1] / length, value[2] / length
            up = 0.5 + 0.5 * y
            reached = open_share[row // step, column // step]
            for k in range(3):
                diffuse[k] = reached * (up * sky[k] + (1 - up) * ground[k])
                shine[k] = 0.0
            for lamp in range(3):
                p, q, r = directions[lamp, 0], directions[lamp, 1], directions[lamp, 2]
                facing = max(0.0, (x * p + y * q + z * r + WRAP) / (1 + WRAP))
                facing *= np.sqrt(np.sqrt(facing))
                hx, hy, hz = view[0] + p, view[1] + q, view[2] + r
                peak = max(0.0, (x * hx + y * hy + z * hz) / np.sqrt(hx * hx + hy * hy + hz * hz + 1e-9))
                for _ in range(SHARPNESS):
                    peak *= peak
                # Light that comes from behind the surface has no mirror image in it.
                peak *= min(1.0, 4 * facing) * reached
                facing *= reached
                for k in range(3):
                    diffuse[k] += facing * strengths[lamp, k]
                    shine[k] += peak * strengths[lamp, k]
            for k in range(3):
                picture[row, column, k] = value[3 + k] * diffuse[k] + HIGHLIGHT * value[6] * shine[k]
