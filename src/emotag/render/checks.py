"""What a renderer refuses before it draws."""

import torch
from torch import Tensor

from emotag.errors import ConfigError, TrainingDiverged
from emotag.render.base import Splats
from emotag.render.sh import COEFFICIENTS


def check_inputs(splats: Splats, extras: Tensor | None) -> None:
    """Refuse shapes that do not fit together and values that are not finite.

    Raises:
        ConfigError: a tensor has the wrong shape.
        TrainingDiverged: a tensor holds NaN or infinity; the message names it.
    """
    batch, count = splats.means.shape[:2]
    expected = {
        "means": (splats.means, (batch, count, 3)),
        "quaternions": (splats.quaternions, (batch, count, 4)),
        "scales": (splats.scales, (batch, count, 3)),
        "opacities": (splats.opacities, (batch, count)),
        "sh": (splats.sh, (1 if splats.sh.shape[0] == 1 else batch, count, splats.sh.shape[-2], 3)),
    }
    if extras is not None:
        expected["extras"] = (extras, (batch, count, extras.shape[-1]))
    if splats.orientation is not None:
        expected["orientation"] = (splats.orientation, (batch, 3, 3))
    for name, (tensor, shape) in expected.items():
        if tuple(tensor.shape) != shape:
            raise ConfigError(f"render: {name} has shape {tuple(tensor.shape)}, expected {shape}; mend the caller")
        # The sum is finite unless an entry is not (or the entries are near overflow, which is no better).
        if not bool(torch.isfinite(tensor.detach().sum())):
            wrong = int((~torch.isfinite(tensor)).sum())
            raise TrainingDiverged(
                f"render: {name} {tuple(tensor.shape)} holds {wrong} values that are not finite; expected finite "
                "numbers; lower the learning rate or start again from the last good checkpoint"
            )
    if splats.sh.shape[-2] not in COEFFICIENTS:
        raise ConfigError(
            f"render: sh holds {splats.sh.shape[-2]} coefficients a channel, expected one of {COEFFICIENTS} "
            "(degrees 0 to 3); mend the caller"
        )


def as_image(background: Tensor | None, like: Tensor) -> Tensor:
    """Background ([3], [H, W, 3], [B, H, W, 3] or None) as [1 or B, 1 or H, 1 or W, 3] of the type of `like`."""
    if background is None:
        return torch.zeros(1, 1, 1, 3, dtype=like.dtype, device=like.device)
    background = background.detach().to(dtype=like.dtype, device=like.device)
    return background.reshape((1,) * (4 - background.dim()) + tuple(background.shape))
