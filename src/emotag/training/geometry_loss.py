"""Depth and normal losses against a monocular or mesh prior (EmoTaG, Eq. 14)."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from emotag.training.kernels_losses import block_means, spread_means

# Of a frame, for its depth to be standardised.
LEAST_PIXELS = 16


def pooled(image: Tensor, height: int, width: int) -> Tensor:
    """Mean over blocks: [B, H, W, D] to [B, h, w, D]; in one pass where blocks are alike, on the CPU and in float32."""
    alike = image.shape[1] % height == 0 and image.shape[2] % width == 0
    if alike and image.device.type == "cpu" and image.dtype == torch.float32:
        return _Pooled.apply(image, height, width)
    return F.adaptive_avg_pool2d(image.permute(0, 3, 1, 2), (height, width)).permute(0, 2, 3, 1)


class _Pooled(torch.autograd.Function):
    """Means over equal blocks."""

    @staticmethod
    def forward(ctx: Any, image: Tensor, height: int, width: int) -> Tensor:  # noqa: D102
        ctx.size = image.shape
        out = np.empty((image.shape[0], height, width, image.shape[3]), np.float32)
        block_means(image.detach().contiguous().numpy(), out)
        return torch.from_numpy(out)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:  # noqa: D102
        out = np.empty(ctx.size, np.float32)
        spread_means(gradient.contiguous().numpy(), out)
        return torch.from_numpy(out), None, None


def depth_loss(depth: Tensor, prior: Tensor, valid: Tensor) -> Tensor:
    """Mean absolute difference of the two maps, each standardised over the valid pixels of its image.

    Scale and shift of a monocular prior are unknown, hence the standardisation. [B, h, w] each; zero where nothing is valid.
    """
    losses = []
    for drawn, wanted, mask in zip(depth, prior, valid, strict=True):
        if mask.sum() < LEAST_PIXELS:
            continue
        a, b = drawn[mask], wanted[mask]
        losses.append(((a - a.mean()) / (a.std() + 1e-6) - (b - b.mean()) / (b.std() + 1e-6)).abs().mean())
    return torch.stack(losses).mean() if losses else depth.sum() * 0


def normal_loss(normal: Tensor, prior: Tensor, valid: Tensor) -> Tensor:
    """1 - cosine over the valid pixels; [B, h, w, 3] each (the drawn normals need not have unit length)."""
    if not valid.any():
        return normal.sum() * 0
    return (1 - F.cosine_similarity(normal[valid], prior[valid], dim=-1, eps=1e-4)).mean()
