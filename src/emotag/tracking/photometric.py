"""Photometric error of surface points and its normal equations (a direct method, without drawing anything).

Every point keeps one value in a band-passed picture; each frame's residual is the picture's value where the point is
projected, less that value times the frame's gain, over the point's own standard deviation. Source: Lucas & Kanade (1981);
robust weights as for the landmarks.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.tracking.band_pass import sample
from emotag.tracking.landmark_basis import PosedBasis
from emotag.tracking.reprojection import POSE, left_jacobian

CHUNK_FRAMES = 25


@dataclass(frozen=True)
class Photometric:
    """`points` (N of them, shape put in), the clip's `pictures` [T, H, W] int16 as `band_pass` makes them, their `camera`,
    `expected` [T, N] values, `deviation` [N] of the residuals, `weights` [T, N] (0 = not used) and the Cauchy scale."""

    points: PosedBasis
    pictures: np.ndarray
    camera: Camera
    expected: np.ndarray
    deviation: np.ndarray
    weights: np.ndarray
    cauchy: float

    def cost(self, state: Tensor) -> float:
        """Half the robust weighted sum of squares at `state` [T, 6 + M]."""
        total, scale = 0.0, self.cauchy**2
        for start in range(0, len(state), CHUNK_FRAMES):
            part = slice(start, start + CHUNK_FRAMES)
            values, _ = sampled(self.pictures[part], project_points(self.points, state[part], self.camera))
            residual = (values - self.expected[part]) / self.deviation
            total += float((self.weights[part] * 0.5 * scale * np.log1p(residual**2 / scale)).sum())
        return total

    def add_to(self, state: Tensor, blocks: np.ndarray, gradient: np.ndarray) -> None:
        """Add the normal equations at `state` [T, P] to `blocks` [T, P, P] and `gradient` [T, P]."""
        scale = self.cauchy**2
        for start in range(0, len(state), CHUNK_FRAMES):
            part = slice(start, start + CHUNK_FRAMES)
            rows, values = self._rows(state[part], part)
            residual = torch.from_numpy((values - self.expected[part]) / self.deviation).float()
            rows /= torch.from_numpy(self.deviation).float()[:, None]
            weight = torch.from_numpy(self.weights[part]).float() / (1 + residual**2 / scale)
            weighted = rows * weight[..., None]
            blocks[part] += (weighted.mT @ rows).double().numpy()
            gradient[part] += (weighted.mT @ residual[..., None])[..., 0].double().numpy()

    def _rows(self, state: Tensor, part: slice) -> tuple[Tensor, np.ndarray]:
        """Derivatives [T, N, P] of the values [T, N] by the state."""
        motion, rotation = state[:, POSE:], axis_angle_to_matrix(state[:, :3])
        turned = self.points.points(motion) @ rotation.mT
        x, y, z = (turned + state[:, None, 3:POSE]).unbind(-1)
        depth, camera = -z, self.camera
        pixels = torch.stack([camera.cx + camera.fx * x / depth, camera.cy - camera.fy * y / depth], -1)
        values, slopes = sampled(self.pictures[part], pixels)
        along_x, along_y = (torch.from_numpy(slopes).float() / depth[..., None]).unbind(-1)
        along_x, along_y = camera.fx * along_x, -camera.fy * along_y
        by_place = torch.stack([along_x, along_y, (along_x * x + along_y * y) / depth], -1)
        by_rotation = (torch.linalg.cross(turned, by_place)[:, :, None] @ left_jacobian(state[:, :3])[:, None])[:, :, 0]
        local = by_place @ rotation
        by_motion = torch.einsum("tnc,tncm->tnm", local, self.points.jacobian(motion))
        return torch.cat([by_rotation, by_place, by_motion], -1), values


def project_points(points: PosedBasis, state: Tensor, camera: Camera) -> Tensor:
    """Pixels [T, N, 2] of the points at `state` [T, 6 + M]."""
    local = points.points(state[:, POSE:])
    return camera.project(local @ axis_angle_to_matrix(state[:, :3]).mT + state[:, None, 3:POSE])


def sampled(pictures: np.ndarray, pixels: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Values [T, N] and slopes [T, N, 2] of `pictures` [T, H, W] at `pixels` [T, N, 2]."""
    places = pixels.double().numpy()
    values, slopes = np.empty(places.shape[:2]), np.empty(places.shape)
    sample(pictures, places, values, slopes)
    return values, slopes
