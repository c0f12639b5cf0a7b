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
    _horizons(thin.depth, normal, camera.fx / step, camera.fy / step, camera.cx / step, camera.cy / step, raw)
    result = np.ones_like(raw)
    _smooth(raw, thin.depth, result)
    return result


@njit(cache=True, nogil=True, fastmath=True)
def _horizons(depth, normals, fx, fy, cx, cy, result):
    height, width = depth.shape
    for row in range(height):
        for column in range(width):
            z = depth[row, column]
            if z == 0.0:
                continue
            n = normals[row, column]
            long = np.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2]) + 1e-9
            a, b, c = n[0] / long, n[1] / long, n[2] / long
            reach = REACH_M * fx / z
            turn = ((row % PATTERN) * PATTERN + column % PATTERN + 0.5) / (PATTERN * PATTERN)
            px, py = (column - cx) * z / fx, (cy - row) * z / fy
            dark = 0.0
            for direction in range(DIRECTIONS):
                angle = 2 * np.pi * (direction + turn) / DIRECTIONS
                dx, dy, highest = np.cos(angle), np.sin(angle), 0.0
                for k in range(STEPS):
                    share = ((k + 0.5 + 0.5 * turn) / STEPS) ** 1.5
                    x, y = int(column + dx * reach * share + 0.5), int(row + dy * reach * share + 0.5)
                    if x < 0 or y < 0 or x >= width or y >= height or depth[y, x] == 0.0:
                        continue
                    other = depth[y, x]
                    vx, vy, vz = (x - cx) * other / fx - px, (cy - y) * other / fy - py, z - other
                    far = np.sqrt(vx * vx + vy * vy + vz * vz) + 1e-6
                    rise = (vx * a + vy * b + vz * c) / far - 0.12
                    rise *= (1 - share * share) / (1 + (far / DEEP_M) ** 2)
                    highest = max(highest, rise)
                dark += highest
            result[row, column] = max(0.0, 1 - dark / DIRECTIONS)


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
