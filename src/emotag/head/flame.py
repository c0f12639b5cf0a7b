"""FLAME, posed: linear shape and expression, pose correctives, linear blend skinning of five joints.

Written from Li et al. 2017, eqs. 1 to 4, and Loper et al. 2015, eqs. 2 to 4: the posed template is
T + B_S(shape) + B_E(expression) + B_P(pose), the joints are J(T + B_S + B_E), as FLAME's own code takes them, and vertices are
the skinning weights' mean of the joints' rigid motions. Metres, y up, face towards +z; angles are axis-angle in rad. The
rotation is that of the root joint, about that joint.
"""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.flame_source import PARENTS


class FlameArrays(Protocol):
    """What of FLAME is posed (`emotag.head.flame_source.FlameData` says which shapes)."""

    neutral: np.ndarray
    faces: np.ndarray
    shape_basis: np.ndarray
    expression_basis: np.ndarray
    pose_basis: np.ndarray
    joint_regressor: np.ndarray
    skinning: np.ndarray


class FlameMesh:
    """FLAME's surface: `faces` [F, 3]; `shape_size` S; E expression components. `emotag.head.flame_head` makes it a
    `HeadModel`."""

    def __init__(self, data: FlameArrays, device: str | torch.device = "cpu") -> None:
        self.faces = torch.as_tensor(data.faces, device=device)
        self.neutral = torch.as_tensor(data.neutral, device=device)
        self.shape_size, self.expression_size = len(data.shape_basis), len(data.expression_basis)
        bases = (data.shape_basis, data.expression_basis, data.pose_basis)
        self._basis = torch.cat([torch.as_tensor(basis, device=device).flatten(1) for basis in bases])
        self._regressor = torch.as_tensor(data.joint_regressor, device=device)
        self._skinning = torch.as_tensor(data.skinning, device=device)

    def vertices(
        self,
        shape: Tensor,
        expression: Tensor,
        jaw: Tensor,
        neck: Tensor,
        eyes: Tensor,
        rotation: Tensor,
        translation: Tensor,
    ) -> Tensor:
        """Posed vertices.

        Args: `shape` [B or 1, S], `expression` [B, E], `jaw` [B, 3], `neck` [B, 3], `eyes` [B, 6] left then right,
        `rotation` [B, 3], all rad; `translation` [B, 3] m.

        Returns: [B, V, 3] m.
        """
        turns = axis_angle_to_matrix(torch.stack([rotation, neck, jaw, eyes[:, :3], eyes[:, 3:]], 1))
        person = self.neutral + self._displaced(torch.cat([shape.expand(len(jaw), -1), expression], 1), 0)
        correctives = (turns[:, 1:] - torch.eye(3, device=turns.device, dtype=turns.dtype)).flatten(1)
        local = person + self._displaced(correctives, self.shape_size + self.expression_size)
        matrices, shifts = self._motions(turns, self._regressor @ person)
        matrix = torch.einsum("vj,bjrc->bvrc", self._skinning, matrices)
        shift = torch.einsum("vj,bjr->bvr", self._skinning, shifts)
        return torch.einsum("bvrc,bvc->bvr", matrix, local) + shift + translation[:, None]

    def joints(self, shape: Tensor, expression: Tensor) -> Tensor:
        """[B, 5, 3] m at rest: root, neck, jaw, left eye, right eye."""
        return self._regressor @ (self.neutral + self._displaced(torch.cat([shape, expression], 1), 0))

    def _displaced(self, weights: Tensor, first: int) -> Tensor:
        """[B, K] weights of the basis from row `first` on to [B, V, 3]."""
        return (weights @ self._basis[first : first + weights.shape[1]]).unflatten(-1, (-1, 3))

    @staticmethod
    def _motions(turns: Tensor, joints: Tensor) -> tuple[Tensor, Tensor]:
        """Matrix [B, 5, 3, 3] and shift [B, 5, 3] of each joint: what it does to a point at rest."""
        matrices, shifts = [], []
        for joint, parent in enumerate(PARENTS):
            own = turns[:, joint]
            shift = joints[:, joint] - (own @ joints[:, joint, :, None])[..., 0]
            if parent >= 0:
                shift = (matrices[parent] @ shift[..., None])[..., 0] + shifts[parent]
                own = matrices[parent] @ own
            matrices.append(own)
            shifts.append(shift)
        return torch.stack(matrices, 1), torch.stack(shifts, 1)
