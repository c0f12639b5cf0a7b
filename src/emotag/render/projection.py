"""Gaussians in space to Gaussians on the image plane: EWA splatting (Zwicker et al. 2001) as gsplat does it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from emotag.geometry.camera import Camera
from emotag.geometry.rotations import quaternion_to_matrix
from emotag.render.base import Splats

NEAR_M = 0.01
# Added to the diagonal of the 2D covariance, in px²: no splat is thinner than about a pixel.
EPS_2D = 0.3
# The Jacobian is taken no further outside the view than this share of the tangent of half its angle.
VIEW_MARGIN = 0.3


@dataclass(frozen=True)
class Projected:
    """`means` [B, N, 2] px, `conics` [B, N, 3] (a, b, c of the inverse covariance, 1/px²), `depths` [B, N] m,
    `visible` [B, N] bool: in front of the near plane."""

    means: Tensor
    conics: Tensor
    depths: Tensor
    visible: Tensor


def view_limits(camera: Camera) -> tuple[float, float, float, float]:
    """Bounds of x/depth (low, high) and of y/depth, y up, between which the Jacobian is exact."""
    margin_x, margin_y = VIEW_MARGIN * camera.width / (2 * camera.fx), VIEW_MARGIN * camera.height / (2 * camera.fy)
    return (
        -(camera.cx / camera.fx + margin_x),
        (camera.width - camera.cx) / camera.fx + margin_x,
        -((camera.height - camera.cy) / camera.fy + margin_y),
        camera.cy / camera.fy + margin_y,
    )


def jacobian(points: Tensor, depth: Tensor, camera: Camera) -> Tensor:
    """Derivative of the pixel by the point, [..., 2, 3], at points [..., 3] of `depth` [...]."""
    low_x, high_x, low_y, high_y = view_limits(camera)
    x = (points[..., 0] / depth).clamp(low_x, high_x)
    y = (points[..., 1] / depth).clamp(low_y, high_y)
    zero = torch.zeros_like(depth)
    row_u = torch.stack([camera.fx / depth, zero, camera.fx * x / depth], -1)
    row_v = torch.stack([zero, -camera.fy / depth, -camera.fy * y / depth], -1)
    return torch.stack([row_u, row_v], -2)


def project(splats: Splats, camera: Camera) -> Projected:
    """Project all Gaussians. Those behind the near plane get harmless values and `visible` False."""
    visible = -splats.means[..., 2] > NEAR_M
    ahead = torch.tensor([0.0, 0.0, -1.0], dtype=splats.means.dtype, device=splats.means.device)
    points = torch.where(visible[..., None], splats.means, ahead)
    depth = -points[..., 2]
    axes = quaternion_to_matrix(splats.quaternions) * splats.scales[..., None, :]
    spread = jacobian(points, depth, camera) @ axes
    covariance = spread @ spread.transpose(-1, -2)
    xx, xy, yy = covariance[..., 0, 0] + EPS_2D, covariance[..., 0, 1], covariance[..., 1, 1] + EPS_2D
    determinant = xx * yy - xy * xy
    conics = torch.stack([yy, -xy, xx], -1) / determinant[..., None]
    return Projected(camera.project(points), conics, depth, visible)
