"""Putting the rendered head over the plate."""

import numpy as np
import torch
from torch import Tensor

from emotag.render.base import Frame


def over(frame: Frame, plate: Tensor) -> Tensor:
    """Premultiplied `frame.colour` [B, H, W, 3] (drawn over black) over `plate` [B, H, W, 3], 0 to 1."""
    return frame.colour + (1 - frame.alpha[..., None]) * plate


def to_bytes(image: Tensor) -> np.ndarray:
    """[..., 3] 0 to 1 to uint8, rounded."""
    return (image.clamp(0, 1) * 255).round().to(torch.uint8).numpy()


def to_unit(frames: np.ndarray) -> Tensor:
    """uint8 [..., 3] to float32 0 to 1."""
    return torch.from_numpy(np.ascontiguousarray(frames)).float() / 255
