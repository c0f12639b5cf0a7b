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
def _mixed(table, a, b, c, k, u, v, w):
    """Column k of three rows of a table, weighted."""
    return u * table[a, k] + v * table[b, k] + w * table[c, k]


@njit(cache=True, nogil=True, fastmath=True)
def _lit(index, barycentric, faces, points, surface, directions, strengths, sky, ground, open_share, picture):
    height, width = index.shape
    step = height // open_share.shape[0]
    # Single precision throughout: a literal would make doubles of it.
    zero, half, one, four, least = np.float32(0), np.float32(0.5), np.float32(1), np.float32(4), np.float32(1e-9)
    wrap, steep, highlight = np.float32(WRAP), np.float32(1 / (1 + WRAP)), np.float32(HIGHLIGHT)
    for row in range(height):
        for column in range(width):
            f = index[row, column]
            if f < 0:
                continue
            u, v, w = barycentric[row, column, 0], barycentric[row, column, 1], barycentric[row, column, 2]
            a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
            x, y, z = (
                _mixed(surface, a, b, c, 0, u, v, w),
                _mixed(surface, a, b, c, 1, u, v, w),
                _mixed(surface, a, b, c, 2, u, v, w),
            )
            i, j, k = (
                -_mixed(points, a, b, c, 0, u, v, w),
                -_mixed(points, a, b, c, 1, u, v, w),
                -_mixed(points, a, b, c, 2, u, v, w),
            )
            length, near = one / np.sqrt(x * x + y * y + z * z + least), one / np.sqrt(i * i + j * j + k * k)
            x, y, z, i, j, k = x * length, y * length, z * length, i * near, j * near, k * near
            up = half + half * y
            reached = open_share[row // step, column // step]
            red, green, blue = (
                reached * (up * sky[0] + (one - up) * ground[0]),
                reached * (up * sky[1] + (one - up) * ground[1]),
                reached * (up * sky[2] + (one - up) * ground[2]),
            )
            red_shine, green_shine, blue_shine = zero, zero, zero
            for lamp in range(3):
                p, q, r = directions[lamp, 0], directions[lamp, 1], directions[lamp, 2]
                facing = (x * p + y * q + z * r + wrap) * steep
                if facing <= zero:
                    # Light that comes from behind the surface has no mirror image in it either.
                    continue
                facing *= np.sqrt(np.sqrt(facing))
                hx, hy, hz = i + p, j + q, k + r
                peak = max(zero, (x * hx + y * hy + z * hz) / np.sqrt(hx * hx + hy * hy + hz * hz + least))
                for _ in range(SHARPNESS):
                    peak *= peak
                peak *= min(one, four * facing) * reached
                facing *= reached
                red, red_shine = red + facing * strengths[lamp, 0], red_shine + peak * strengths[lamp, 0]
                green, green_shine = green + facing * strengths[lamp, 1], green_shine + peak * strengths[lamp, 1]
                blue, blue_shine = blue + facing * strengths[lamp, 2], blue_shine + peak * strengths[lamp, 2]
            gloss = highlight * _mixed(surface, a, b, c, 6, u, v, w)
            picture[row, column, 0] = _mixed(surface, a, b, c, 3, u, v, w) * red + gloss * red_shine
            picture[row, column, 1] = _mixed(surface, a, b, c, 4, u, v, w) * green + gloss * green_shine
            picture[row, column, 2] = _mixed(surface, a, b, c, 5, u, v, w) * blue + gloss * blue_shine
