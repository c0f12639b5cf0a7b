"""Gaussians in space to Gaussians on the image plane: EWA splatting (Zwicker et al. 2001) as gsplat does it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from emotag.geometry.camera import Cameras
from emotag.geometry.rotations import quaternion_to_matrix
from emotag.render.base import Splats

NEAR_M = 0.01
# Added to the diagonal of the 2D covariance, in px²: no splat is thinner than about a pixel.
EPS_2D = 0.3
# The Jacobian is taken no further outside the view than this share of the tangent of half its angle.
VIEW_MARGIN = 0.3
# Bounds the quotient of determinants from below; far below what can be drawn (1/255 squared).
LEAST_QUOTIENT = 1e-12


@dataclass(frozen=True)
class Projected:
    """`means` [B, N, 2] px, `conics` [B, N, 3] (a, b, c of the inverse covariance, 1/px²), `depths` [B, N] m,
    `visible` [B, N] bool: in front of the near plane, `compensation` [B, N]: factor on the opacity that makes up for
    the blur, so that a splat thinner than a pixel is not drawn larger than it is (Mip-Splatting, Yu et al. 2024)."""

    means: Tensor
    conics: Tensor
    depths: Tensor
    visible: Tensor
    compensation: Tensor


def view_limits(cameras: Cameras) -> Tensor:
    """Bounds of x/depth (low, high) and of y/depth, y up, between which the Jacobian is exact: [B or 1, 4]."""
    fx, fy, cx, cy = cameras.lens.unbind(-1)
    margin_x = torch.full_like(fx, VIEW_MARGIN * cameras.width / 2) / fx
    margin_y = torch.full_like(fy, VIEW_MARGIN * cameras.height / 2) / fy
    low_x, high_x = -(cx / fx + margin_x), (cameras.width - cx) / fx + margin_x
    low_y, high_y = -((cameras.height - cy) / fy + margin_y), cy / fy + margin_y
    return torch.stack([low_x, high_x, low_y, high_y], -1)


def jacobian(points: Tensor, depth: Tensor, cameras: Cameras) -> Tensor:
    """Derivative of the pixel by the point, [B, N, 2, 3], at points [B, N, 3] of `depth` [B, N]."""
    fx, fy, _, _ = cameras.lens.to(points)[:, None].unbind(-1)
    low_x, high_x, low_y, high_y = view_limits(cameras).to(points)[:, None].unbind(-1)
    x = (points[..., 0] / depth).clamp(low_x, high_x)
    y = (points[..., 1] / depth).clamp(low_y, high_y)
    zero = torch.zeros_like(depth)
    row_u = torch.stack([fx * depth.reciprocal(), zero, fx * x / depth], -1)
    row_v = torch.stack([zero, -fy * depth.reciprocal(), -fy * y / depth], -1)
    return torch.stack([row_u, row_v], -2)


def project(splats: Splats, cameras: Cameras) -> Projected:
    """Project all Gaussians. Those behind the near plane get harmless values and `visible` False."""
    visible = -splats.means[..., 2] > NEAR_M
    ahead = torch.tensor([0.0, 0.0, -1.0], dtype=splats.means.dtype, device=splats.means.device)
    points = torch.where(visible[..., None], splats.means, ahead)
    depth = -points[..., 2]
    axes = quaternion_to_matrix(splats.quaternions) * splats.scales[..., None, :]
    spread = jacobian(points, depth, cameras) @ axes
    covariance = spread @ spread.transpose(-1, -2)
    xx, xy, yy = covariance[..., 0, 0] + EPS_2D, covariance[..., 0, 1], covariance[..., 1, 1] + EPS_2D
    determinant = xx * yy - xy * xy
    conics = torch.stack([yy, -xy, xx], -1) / determinant[..., None]
    # The cross product of the rows is exact where the difference xx yy - xy² of a needle would be lost to rounding.
    sharp = torch.linalg.cross(spread[..., 0, :], spread[..., 1, :]).square().sum(-1)
    compensation = (sharp / determinant).clamp_min(LEAST_QUOTIENT).sqrt()
    return Projected(cameras.project(points), conics, depth, visible, compensation)
