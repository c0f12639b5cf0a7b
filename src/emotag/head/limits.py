"""Limits that channels approach softly."""

import torch
from torch import Tensor


def levelled(values: Tensor, lower: Tensor, upper: Tensor, margin: float) -> Tensor:
    """Identity between the limits, smoothly levelling off `margin` outside of them (once differentiable)."""
    inside = values.clamp(lower, upper)
    return inside + margin * torch.tanh((values - inside) / margin)
