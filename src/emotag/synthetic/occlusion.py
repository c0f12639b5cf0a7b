"""How much of the light from all round reaches each pixel: dark mouths, lips that meet in a dark line, shade under the
lower lip, the nose and the chin.

Source: horizon-based ambient occlusion (Bavoil, Sainz & Dimitrov, SIGGRAPH talk 2008): of every pixel's half sphere the
share below the horizon that the depth picture shows around it is dark.
"""

import numpy as np
import torch
from numba import njit

from emotag.geometry.camera import Camera
from emotag.head.arkit import ArkitHead
from emotag.head.landmark_sets import INNER_LIP_PAIRS
from emotag.render.mesh import MeshFrame, interpolate
from emotag.synthetic.surface import Subdivision

# Directions on the screen, turned from pixel to pixel in a pattern of PATTERN x PATTERN, and steps along each.
DIRECTIONS, STEPS, PATTERN = 6, 5, 4
# What lies farther aside than REACH_M darkens nothing; what stands DEEP_M before a point darkens it half as much.
REACH_M, DEEP_M = 0.028, 0.06
# Neighbours whose depth differs by more do not smooth each other.
EDGE_M = 0.004
# Parts of the head inside the mouth, and the landmarks of the lips' middle above and below.
INSIDE = ("mouth_interior", "teeth", "tongue")
MIDDLE_LIPS = tuple(zip(*INNER_LIP_PAIRS[2:7], strict=True))
SHALLOWEST_M = 0.006
# Teeth, tongue and cheeks pass light on to each other.
BRIGHTEN = 1.6


class Cavity:
    """The light that the lips let into the mouth: the wider they part, the more of it.

    From a point at the depth d behind them the gap g is seen under an angle of about 2 arctan(g / 2d), of half a turn:
    nearly black between lips that part by a millimetre, teeth and tongue in view when they part by ten.
    """

    def __init__(self, head: ArkitHead, division: Subdivision) -> None:
        coarse = sum(head.vertex_regions[name].double() for name in INSIDE).numpy()
        self.inside = division(coarse[:, None])[:, 0] > 0.5
        self.upper, self.lower = (head.embedding.triangles[list(side)].flatten().numpy() for side in MIDDLE_LIPS)
        depth = head.neutral[torch.from_numpy(self.upper), 2].mean().item() - division(head.neutral.numpy())[:, 2]
        self.depth = np.maximum(depth[self.inside], SHALLOWEST_M)

    def __call__(self, vertices: np.ndarray) -> np.ndarray:
        """Factor [V'] on the light of every fine vertex of the head whose coarse ones are `vertices` [V, 3] m."""
        gap = np.linalg.norm(vertices[self.upper].mean(0) - vertices[self.lower].mean(0))
        result = np.ones(len(self.inside))
        result[self.inside] = BRIGHTEN * 2 / np.pi * np.arctan(gap / (2 * self.depth))
        return result


def openness(
    frame: MeshFrame, faces: np.ndarray, points: np.ndarray, normals: np.ndarray, camera: Camera, step: int
) -> np.ndarray:
    """Share [H / step, W / step] float32, 0 to 1, of the light from all round that reaches the surface there; 1 where
    nothing is drawn.

    Args: `points` [V, 3] m in the camera's frame, `normals` [V, 3]; `camera` is the one of `frame`.
    """
    thin = MeshFrame(
        *(np.ascontiguousarray(array[::step, ::step]) for array in (frame.face_index, frame.barycentric, frame.depth))
    )
    normal = interpolate(thin, faces, normals).astype(np.float32)
    raw = np.ones(thin.depth.shape, np.float32)
    lens = (np.float32(value / step) for value in (camera.fx, camera.fy, camera.cx, camera.cy))
    _horizons(thin.depth, normal, RAYS, *lens, raw)
    result = np.ones_like(raw)
    _smooth(raw, thin.depth, result)
    return result


def _rays() -> np.ndarray:
    """[P^2, D, S, 3] for every place in the pattern: steps along each direction, x, y and length over the reach."""
    turn = (np.arange(PATTERN**2) + 0.5)[:, None, None] / PATTERN**2
    angle = 2 * np.pi * (np.arange(DIRECTIONS)[:, None] + turn) / DIRECTIONS
    length = ((np.arange(STEPS) + 0.5 + 0.5 * turn) / STEPS) ** 1.5
    return np.stack(np.broadcast_arrays(np.cos(angle) * length, np.sin(angle) * length, length), -1).astype(np.float32)


RAYS = _rays()


@njit(cache=True, nogil=True, fastmath=True)
def _horizons(depth, normals, rays, fx, fy, cx, cy, result):
    height, width = depth.shape
    # Single precision throughout: a literal would make doubles of it.
    half, one, bias, least = np.float32(0.5), np.float32(1.0), np.float32(0.12), np.float32(1e-9)
    reach_m, shade = np.float32(REACH_M), np.float32(1 / DEEP_M**2)
    across, down = one / fx, one / fy
    for row in range(height):
        for column in range(width):
            z = depth[row, column]
            if z == 0.0:
                continue
            a, b, c = normals[row, column, 0], normals[row, column, 1], normals[row, column, 2]
            scale = one / np.sqrt(a * a + b * b + c * c + least)
            a, b, c = a * scale, b * scale, c * scale
            reach = reach_m * fx / z
            place = (row % PATTERN) * PATTERN + column % PATTERN
            px, py = (np.float32(column) - cx) * z * across, (cy - np.float32(row)) * z * down
            dark = np.float32(0.0)
            for direction in range(DIRECTIONS):
                highest = np.float32(0.0)
                for k in range(STEPS):
                    x = int(np.float32(column) + rays[place, direction, k, 0] * reach + half)
                    y = int(np.float32(row) + rays[place, direction, k, 1] * reach + half)
                    if x < 0 or y < 0 or x >= width or y >= height:
                        continue
                    other, share = depth[y, x], rays[place, direction, k, 2]
                    if other == 0.0:
                        continue
                    vx, vy = (np.float32(x) - cx) * other * across - px, (cy - np.float32(y)) * other * down - py
                    vz = z - other
                    square = vx * vx + vy * vy + vz * vz + least
                    rise = (vx * a + vy * b + vz * c) / np.sqrt(square) - bias
                    rise *= (one - share * share) / (one + square * shade)
                    highest = max(highest, rise)
                dark += highest
            result[row, column] = max(np.float32(0.0), one - dark / np.float32(DIRECTIONS))


@njit(cache=True, nogil=True)
def _smooth(raw, depth, result):
    """The mean over one period of the pattern, of what lies at the same depth."""
    height, width = depth.shape
    for row in range(height):
        for column in range(width):
            z = depth[row, column]
            if z == 0.0:
                continue
            total, count = 0.0, 0
            for y in range(max(0, row - PATTERN // 2), min(height, row + PATTERN // 2)):
                for x in range(max(0, column - PATTERN // 2), min(width, column + PATTERN // 2)):
                    if abs(depth[y, x] - z) < EDGE_M:
                        total += raw[y, x]
                        count += 1
            result[row, column] = total / max(count, 1)
