"""Normals of Gaussians as they are drawn: the thin axis of each, turned to the camera."""

import math
from typing import Any

import numpy as np
import torch
from numba import njit
from torch import Tensor

from emotag.geometry.rotations import quaternion_to_matrix
from emotag.render.base import Splats

LEAST = 1e-12


def facing_normals(splats: Splats) -> Tensor:
    """The thin axis (second, along the triangle's normal at the start) of each Gaussian, turned to the camera: [B, N, 3].

    On the CPU in float32 by a fused kernel, elsewhere by torch. Means get no gradient: only a sign depends on them.
    """
    if splats.means.device.type == "cpu" and splats.means.dtype == torch.float32:
        return _Facing.apply(splats.means.detach(), splats.quaternions)
    normal = quaternion_to_matrix(splats.quaternions)[..., 1]
    away = (normal * splats.means).sum(-1, keepdim=True) > 0
    return torch.where(away, -normal, normal)


class _Facing(torch.autograd.Function):
    """Means [B, N, 3] and quaternions [B, N, 4] to normals [B, N, 3]."""

    @staticmethod
    def forward(ctx: Any, means: Tensor, quaternions: Tensor) -> Tensor:  # noqa: D102
        given = [tensor.detach().contiguous().numpy().reshape(-1, tensor.shape[-1]) for tensor in (means, quaternions)]
        out = np.empty_like(given[0])
        turn_to_camera(*given, out)
        ctx.kept = (given[1], out)
        return torch.from_numpy(out).reshape(means.shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor]:  # noqa: D102
        quaternions, normals = ctx.kept
        out = np.empty_like(quaternions)
        turn_back(quaternions, normals, gradient.contiguous().numpy().reshape(-1, 3), out)
        return None, torch.from_numpy(out).reshape(*gradient.shape[:-1], 4)


@njit(cache=True, nogil=True, error_model="numpy")
def unit(quaternions, i):
    """Row i normalised and one over its length."""
    w, x, y, z = quaternions[i, 0], quaternions[i, 1], quaternions[i, 2], quaternions[i, 3]
    inverse = 1 / max(math.sqrt(w * w + x * x + y * y + z * z), LEAST)
    return w * inverse, x * inverse, y * inverse, z * inverse, inverse


@njit(cache=True, nogil=True, error_model="numpy")
def turn_to_camera(means, quaternions, out):
    """Second column of each quaternion's matrix, with the sign that points to the origin: `out` [M, 3]."""
    for i in range(means.shape[0]):
        w, x, y, z, _ = unit(quaternions, i)
        a, b, c = 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)
        sign = -1.0 if a * means[i, 0] + b * means[i, 1] + c * means[i, 2] > 0 else 1.0
        out[i, 0], out[i, 1], out[i, 2] = sign * a, sign * b, sign * c


@njit(cache=True, nogil=True, error_model="numpy")
def turn_back(quaternions, normals, gradient, out):
    """Gradient by the quaternions [M, 4], from that by what `turn_to_camera` gave (`normals`)."""
    for i in range(quaternions.shape[0]):
        w, x, y, z, inverse = unit(quaternions, i)
        a, b, c = 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)
        sign = 1.0 if a * normals[i, 0] + b * normals[i, 1] + c * normals[i, 2] > 0 else -1.0
        g0, g1, g2 = 2 * sign * gradient[i, 0], 2 * sign * gradient[i, 1], 2 * sign * gradient[i, 2]
        gw, gx = x * g2 - z * g0, y * g0 - 2 * x * g1 + w * g2
        gy, gz = x * g0 + z * g2, y * g2 - w * g0 - 2 * z * g1
        along = gw * w + gx * x + gy * y + gz * z
        out[i, 0], out[i, 1] = (gw - along * w) * inverse, (gx - along * x) * inverse
        out[i, 2], out[i, 3] = (gy - along * y) * inverse, (gz - along * z) * inverse
