"""Losses in motion space and the regularisers of local Gaussians. Every function returns one number (a mean)."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from emotag.training.kernels_losses import hinge


def emotion_divergence(teacher: Tensor, logits: Tensor) -> Tensor:
    """KL(p_teacher || softmax(logits)) in nats, mean over frames; [..., 7] each (EmoTaG Eq. 12).

    Terms with p_teacher = 0 are zero, as their limit is.
    """
    log_q = torch.log_softmax(logits, -1)
    return (torch.xlogy(teacher, teacher) - teacher * log_q).sum(-1).mean()


def gate_score(gate: Tensor, neutral: Tensor) -> Tensor:
    """Squared error of the gate [..., 1] against the teacher's intensity 1 - p(neutral) [...] (EmoTaG L_score)."""
    return F.mse_loss(gate.squeeze(-1), 1 - neutral)


def weighted_square(predicted: Tensor, target: Tensor, channel_weights: Tensor) -> Tensor:
    """Mean of the squared error over frames and channels, channels [C] weighted (weights of mean 1 keep the scale)."""
    return ((predicted - target).square() * channel_weights).mean()


def velocity_square(predicted: Tensor, target: Tensor, channel_weights: Tensor) -> Tensor:
    """`weighted_square` of differences between neighbouring frames of [..., T, C]."""
    return weighted_square(predicted.diff(dim=-2), target.diff(dim=-2), channel_weights)


def beyond(values: Tensor, threshold: float, counted: Tensor | None = None) -> Tensor:
    """Mean over Gaussians of the norm of what exceeds `threshold` in size in [N, D] (GaussianAvatars' hinges).

    On local position: distance in triangle units; on local scale: the factor over the triangle's size. `counted` [N] bool:
    which Gaussians (all if None). On the CPU in float32 by a fused kernel, elsewhere by torch.
    """
    if values.device.type == "cpu" and values.dtype == torch.float32:
        rows = torch.ones(len(values), dtype=torch.bool) if counted is None else counted
        return _Beyond.apply(values, rows, threshold)
    chosen = values if counted is None else values[counted]
    return torch.linalg.vector_norm(F.relu(chosen.abs() - threshold), dim=-1).mean()


class _Beyond(torch.autograd.Function):
    """`beyond`, whose gradient comes with its value."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, counted: Tensor, threshold: float) -> Tensor:  # noqa: D102
        given = values.detach().contiguous().numpy()
        gradient = np.empty_like(given)
        loss = hinge(given, counted.numpy(), threshold, gradient)
        ctx.gradient = torch.from_numpy(gradient)
        return values.new_tensor(loss)

    @staticmethod
    def backward(ctx: Any, given: Tensor) -> tuple[Tensor, None, None]:  # noqa: D102
        return given * ctx.gradient, None, None


def position_hinge(local_position: Tensor, threshold: float = 1.0, counted: Tensor | None = None) -> Tensor:
    """`beyond` of the local position [N, 3] (GaussianAvatars L_position, threshold 1)."""
    return beyond(local_position, threshold, counted)


def scale_hinge(local_scale: Tensor, threshold: float = 0.6) -> Tensor:
    """`beyond` of the local scale [N, 3], after its activation (GaussianAvatars L_scale, threshold 0.6)."""
    return beyond(local_scale, threshold)
