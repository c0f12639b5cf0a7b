"""Reprojection error of the landmarks and its normal equations.

Residuals are in hundredths of the outer-eye distance, so that weights mean the same on every clip. Each point's squared
residual r^2 enters through Cauchy's c^2/2 log(1 + r^2/c^2), by iteratively reweighted least squares.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.tracking.landmark_basis import LandmarkBasis, PosedBasis

POSE = 6  # rotation, translation
CHUNK_FRAMES = 50
NEAREST_M = 0.05


def left_jacobian(axis_angle: Tensor) -> Tensor:
    """[..., 3] rad to [..., 3, 3]: R(w + d) = R(J d) R(w) to first order (SO(3)'s left Jacobian)."""
    squared = (axis_angle * axis_angle).sum(-1)[..., None, None]
    small = squared < 1e-6
    safe = torch.where(small, torch.ones_like(squared), squared)
    angle = safe.sqrt()
    a = torch.where(small, 0.5 - squared / 24, (1 - torch.cos(angle)) / safe)
    b = torch.where(small, 1 / 6 - squared / 120, (angle - torch.sin(angle)) / (safe * angle))
    cross = skew(axis_angle)
    return torch.eye(3, dtype=axis_angle.dtype) + a * cross + b * (cross @ cross)


def skew(v: Tensor) -> Tensor:
    """[..., 3] to the matrix [..., 3, 3] of the cross product v x."""
    x, y, z = v.unbind(-1)
    zero = torch.zeros_like(x)
    return torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))


@dataclass(frozen=True)
class Observations:
    """Detected points [T, L, 2] px, point weights [T, L] (0 = not used), `unit_px`: one hundredth of the outer-eye
    distance, and the scale of the Cauchy loss in such units.

    `pairs` [K, 2] are points whose distance matters more than their place (lips and lids that meet): their differences
    count as further points with weights `pair_weights` [T, K]. `linked` [T - 1] bool: no cut between two frames.
    """

    points: Tensor
    weights: Tensor
    pairs: Tensor
    pair_weights: Tensor
    linked: np.ndarray
    unit_px: float
    camera: Camera
    cauchy: float

    def residual(self, pixels: Tensor, part: slice = slice(None)) -> Tensor:
        """Residuals [T, L + K, 2] of projected `pixels` [T, L, 2] of the frames `part`, points then pairs."""
        missing = (pixels - self.points[part]) / self.unit_px
        return torch.cat([missing, missing[:, self.pairs[:, 0]] - missing[:, self.pairs[:, 1]]], 1)

    def all_weights(self, part: slice = slice(None)) -> Tensor:
        """Weights [T, L + K] of points and pairs."""
        return torch.cat([self.weights[part], self.pair_weights[part]], 1)


@dataclass
class Normal:
    """Normal equations: cost, blocks [T, P, P], gradient [T, P]; for the shape cross [T, P, S], matrix [S, S] and
    gradient [S] (None when the shape is frozen)."""

    cost: float
    blocks: np.ndarray
    gradient: np.ndarray
    cross: np.ndarray | None = None
    matrix: np.ndarray | None = None
    shape_gradient: np.ndarray | None = None


def project(local: Tensor, state: Tensor, camera: Camera) -> Tensor:
    """Points [T, L, 3] of the head's frame and state [T, 6 + …] (rotation, translation) to pixels [T, L, 2]."""
    posed = local @ axis_angle_to_matrix(state[:, :3]).mT + state[:, None, 3:POSE]
    return camera.project(posed)


def cost(observations: Observations, local: Tensor, state: Tensor) -> float:
    """Half the robust weighted sum of squares."""
    residual = observations.residual(project(local, state, observations.camera))
    scale = observations.cauchy**2
    robust = 0.5 * scale * torch.log1p((residual**2).sum(-1) / scale)
    posed_z = (local @ axis_angle_to_matrix(state[:, :3])[:, 2, :, None])[..., 0] + state[:, None, 5]
    if bool((posed_z > -NEAREST_M).any()):
        return float("inf")
    return float((observations.all_weights() * robust).double().sum())


def _jacobian(posed: PosedBasis, state: Tensor, camera: Camera, extra: Tensor | None) -> tuple[Tensor, Tensor]:
    """Pixels [T, L, 2] and their derivative [T, L, 2, P (+ S)]; `extra` [T, L, 3, S] are further columns in the head's
    frame."""
    motion = state[:, POSE:]
    local = posed.points(motion)
    columns = posed.jacobian(motion)
    if extra is not None:
        columns = torch.cat([columns, extra], -1)
    rotation = axis_angle_to_matrix(state[:, :3])
    turned = local @ rotation.mT
    x, y, z = (turned + state[:, None, 3:POSE]).unbind(-1)
    depth, zero = -z, torch.zeros_like(z)
    along_x, along_y = camera.fx / depth, -camera.fy / depth
    to_pixel = torch.stack([along_x, zero, along_x * x / depth, zero, along_y, along_y * y / depth], -1)
    to_pixel = to_pixel.unflatten(-1, (2, 3))
    pixels = torch.stack([camera.cx + camera.fx * x / depth, camera.cy - camera.fy * y / depth], -1)
    by_rotation = to_pixel @ (-skew(turned)) @ left_jacobian(state[:, :3])[:, None]
    moved = torch.einsum("tij,tljm->tilm", rotation, columns)
    by_x = along_x[..., None] * torch.addcmul(moved[:, 0], moved[:, 2], (x / depth)[..., None])
    by_y = along_y[..., None] * torch.addcmul(moved[:, 1], moved[:, 2], (y / depth)[..., None])
    return pixels, torch.cat([by_rotation, to_pixel, torch.stack([by_x, by_y], 2)], -1)


def normal_equations(
    observations: Observations, basis: LandmarkBasis, shape: Tensor, offsets: Tensor, state: Tensor, with_shape: bool
) -> Normal:
    """Normal equations at `state` [T, 6 + M] and `shape` [S]; the shape's own part when `with_shape`."""
    posed = basis.posed(shape, offsets)
    size, shape_size = state.shape[1], basis.shape_size if with_shape else 0
    scale, total = observations.cauchy**2, 0.0
    blocks, gradients = [], []
    for start in range(0, len(state), CHUNK_FRAMES):
        part = slice(start, start + CHUNK_FRAMES)
        extra = basis.shape_jacobian(state[part, POSE:]) if with_shape else None
        pixels, jacobian = _jacobian(posed, state[part], observations.camera, extra)
        residual, weights = observations.residual(pixels, part), observations.all_weights(part)
        first, second = observations.pairs.unbind(1)
        jacobian = torch.cat([jacobian, jacobian[:, first] - jacobian[:, second]], 1)
        jacobian = (jacobian / observations.unit_px).flatten(1, 2)
        squared = (residual**2).sum(-1)
        total += float((weights * 0.5 * scale * torch.log1p(squared / scale)).double().sum())
        weight = (weights / (1 + squared / scale))[..., None].expand_as(residual).flatten(1)
        weighted = jacobian * weight[..., None]
        blocks.append(weighted.mT @ jacobian)
        gradients.append((weighted.mT @ residual.flatten(1)[..., None])[..., 0])
    full, gradient = torch.cat(blocks).double().numpy(), torch.cat(gradients).double().numpy()
    if not shape_size:
        return Normal(total, full, gradient)
    return Normal(
        total,
        np.ascontiguousarray(full[:, :size, :size]),
        gradient[:, :size],
        np.ascontiguousarray(full[:, :size, size:]),
        full[:, size:, size:].sum(0),
        gradient[:, size:].sum(0),
    )
