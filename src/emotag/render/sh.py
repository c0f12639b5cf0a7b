"""Spherical harmonics of degree 0 to 3, in the order and with the signs of Gaussian splatting (Kerbl et al. 2023)."""

import torch
from torch import Tensor

C0 = 0.28209479177387814
C1 = 0.4886025119029199
C2 = (1.0925484305920792, -1.0925484305920792, 0.31539156525252005, -1.0925484305920792, 0.5462742152960396)
C3 = (
    -0.5900435899266435,
    2.890611442640554,
    -0.4570457994644658,
    0.3731763325901154,
    -0.4570457994644658,
    1.445305721320277,
    -0.5900435899266435,
)
COEFFICIENTS = (1, 4, 9, 16)


def basis(directions: Tensor, coefficients: int) -> Tensor:
    """Unit vectors [..., 3] to the first `coefficients` (1, 4, 9 or 16) basis functions [..., K]."""
    x, y, z = directions.unbind(-1)
    values = [torch.full_like(x, C0)]
    if coefficients > 1:
        values += [-C1 * y, C1 * z, -C1 * x]
    if coefficients > 4:
        xx, yy, zz = x * x, y * y, z * z
        values += [C2[0] * x * y, C2[1] * y * z, C2[2] * (2 * zz - xx - yy), C2[3] * x * z, C2[4] * (xx - yy)]
    if coefficients > 9:
        values += [
            C3[0] * y * (3 * xx - yy),
            C3[1] * x * y * z,
            C3[2] * y * (4 * zz - xx - yy),
            C3[3] * z * (2 * zz - 3 * xx - 3 * yy),
            C3[4] * x * (4 * zz - xx - yy),
            C3[5] * z * (xx - yy),
            C3[6] * x * (xx - 3 * yy),
        ]
    return torch.stack(values, -1)


def colours(sh: Tensor, means: Tensor, orientation: Tensor | None = None) -> Tensor:
    """Colour of each Gaussian as the camera at the origin sees it.

    Args:
        sh: [B or 1, N, K, 3].
        means: [B, N, 3] m, in the camera's frame.
        orientation: [B, 3, 3] from the frame of `sh` to the camera's; None where they are the same.

    Returns:
        [B, N, 3], not negative.
    """
    directions = torch.nn.functional.normalize(means, dim=-1)
    if orientation is not None:
        directions = directions @ orientation
    weights = basis(directions, sh.shape[-2])
    return ((weights[..., None] * sh).sum(-2) + 0.5).clamp_min(0)
