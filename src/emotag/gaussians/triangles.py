"""The frame that each triangle of a mesh carries (GaussianAvatars, Qian et al. 2024; EmoTaG Eq. 7)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize


@dataclass(frozen=True)
class TriangleFrames:
    """`rotation` [..., F, 3, 3] with columns along the first edge, the outward normal and across; `size` [..., F] m (k:
    mean of the first edge and the height on it); `centre` [..., F, 3] m."""

    rotation: Tensor
    size: Tensor
    centre: Tensor


def triangle_frames(vertices: Tensor, faces: Tensor) -> TriangleFrames:
    """Frames of `faces` [F, 3], counter-clockwise seen from outside, at `vertices` [..., V, 3] m. Differentiable."""
    corners = vertices.index_select(-2, faces.reshape(-1)).unflatten(-2, (faces.shape[0], 3))
    a, b, c = corners.unbind(-2)
    edge, other = b - a, c - a
    along = normalize(edge, dim=-1, eps=1e-12)
    normal = normalize(torch.linalg.cross(along, other), dim=-1, eps=1e-12)
    across = torch.linalg.cross(along, normal)
    size = 0.5 * ((edge * along).sum(-1) + (across * other).sum(-1).abs())
    return TriangleFrames(torch.stack([along, normal, across], -1), size, corners.mean(-2))
