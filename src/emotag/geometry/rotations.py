"""Rotations: axis-angle, matrices and quaternions.

Convention: right-handed, matrices act on column vectors, quaternions are (w, x, y, z) with unit norm.
"""

import torch
from torch import Tensor


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """[..., 3] rad to [..., 3, 3] (Rodrigues), exact and differentiable at zero."""
    squared = (axis_angle * axis_angle).sum(-1, keepdim=True)
    small = squared < 1e-8
    angle = torch.where(small, torch.ones_like(squared), squared).sqrt()
    sine = torch.where(small, 1 - squared / 6, torch.sin(angle) / angle)[..., None]
    cosine = torch.where(small, 0.5 - squared / 24, (1 - torch.cos(angle)) / angle**2)[..., None]
    x, y, z = axis_angle.unbind(-1)
    zero = torch.zeros_like(x)
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], -1).unflatten(-1, (3, 3))
    eye = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    return eye + sine * cross + cosine * (cross @ cross)


def matrix_to_quaternion(matrix: Tensor) -> Tensor:
    """[..., 3, 3] to [..., 4] with w >= 0, through the best conditioned of the four forms."""
    m = matrix
    diagonal = torch.stack([m[..., 0, 0], m[..., 1, 1], m[..., 2, 2]], -1)
    x, y, z = diagonal.unbind(-1)
    squares = torch.stack([1 + x + y + z, 1 + x - y - z, 1 - x + y - z, 1 - x - y + z], -1)
    yz, zx, xy = m[..., 2, 1] - m[..., 1, 2], m[..., 0, 2] - m[..., 2, 0], m[..., 1, 0] - m[..., 0, 1]
    sxy, szx, syz = m[..., 1, 0] + m[..., 0, 1], m[..., 0, 2] + m[..., 2, 0], m[..., 2, 1] + m[..., 1, 2]
    w_row = torch.stack([squares[..., 0], yz, zx, xy], -1)
    x_row = torch.stack([yz, squares[..., 1], sxy, szx], -1)
    y_row = torch.stack([zx, sxy, squares[..., 2], syz], -1)
    z_row = torch.stack([xy, szx, syz, squares[..., 3]], -1)
    rows = torch.stack([w_row, x_row, y_row, z_row], -2)
    best = squares.argmax(-1)[..., None, None].expand(*squares.shape[:-1], 1, 4)
    quaternion = torch.nn.functional.normalize(rows.gather(-2, best).squeeze(-2), dim=-1)
    return torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)


def quaternion_to_matrix(quaternion: Tensor) -> Tensor:
    """[..., 4] (normalised here) to [..., 3, 3]."""
    w, x, y, z = torch.nn.functional.normalize(quaternion, dim=-1).unbind(-1)
    entries = [
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    ]  # fmt: skip
    return torch.stack(entries, -1).unflatten(-1, (3, 3))


def quaternion_product(a: Tensor, b: Tensor) -> Tensor:
    """Hamilton product [..., 4]: first rotate by `b`, then by `a`."""
    aw, ax, ay, az = a.unbind(-1)
    bw, bx, by, bz = b.unbind(-1)
    return torch.stack(
        [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ],
        -1,
    )
