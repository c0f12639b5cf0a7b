"""The rigged deformer: driving codes move the mesh, the mesh moves the Gaussians (EmoTaG, Eq. 7 and 8)."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from emotag.gaussians.binding import Binding, Offsets
from emotag.gaussians.cloud import MOUTH, GaussianCloud
from emotag.gaussians.rigid import StillFace, rigid_vertices
from emotag.gaussians.trunk import Trunk
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.base import HeadModel
from emotag.motion.codes import Codes
from emotag.motion.mouth_field import MouthField
from emotag.render.base import Splats


class RiggedDeformer:
    """`deformer(codes) -> Splats` for one person: head model, frozen shape, cloud, mouth field and the trunk at rest.

    The mouth field turns a frame's condition into offsets of the mouth Gaussians, under the code's gate.
    """

    def __init__(self, head: HeadModel, shape: Tensor, cloud: GaussianCloud, mouth: MouthField, trunk: Trunk) -> None:
        self.head = head
        self.cloud = cloud
        self.mouth = mouth
        self.binding = Binding(cloud.triangle, head.faces)
        self.shape = shape
        self.trunk = trunk
        self.held_index = torch.nonzero(cloud.trunk_share > 0).squeeze(-1)
        self.held_share = cloud.trunk_share[self.held_index]
        self.mouth_index = torch.nonzero(cloud.region == MOUTH).squeeze(-1)

    def mesh(self, codes: Codes) -> Tensor:
        """Posed vertices [B, V, 3] m in the camera's frame."""
        expression = self.head.soft_limits(codes.expression)
        return self.head.vertices(
            self.shape[None], expression, codes.jaw, codes.neck, codes.eyes, codes.rotation, codes.translation
        )

    def __call__(self, codes: Codes, mouth_moves: bool = True) -> Splats:
        """B frames of splats in the camera's frame; `mouth_moves` False leaves the mouth Gaussians on their triangles."""
        offsets = None
        if mouth_moves:
            offsets = Offsets(self.mouth_index, *self.mouth(codes.condition, codes.gate, codes.emotion))
        rotation = axis_angle_to_matrix(codes.rotation)
        splats = self.binding(self.cloud, self.mesh(codes), rotation, offsets)
        means = self.trunk.hold(splats.means, self.held_index, self.held_share, rotation, codes.translation)
        return replace(splats, means=means)

    @cached_property
    def soft(self) -> Binding:
        """Binds the Gaussians that do not move rigidly with the head's pose."""
        return self.binding.of_triangles(~rigid_vertices(self.head)[self.head.faces].all(-1))

    def still(self, codes: Codes) -> StillFace:
        """One frame's face, to be moved as a whole; as `deformer(codes, mouth_moves=False)` places it, without gradients."""
        pose = {name: torch.zeros(1, 3) for name in ("rotation", "translation")}
        placed = self.binding(self.cloud, self.mesh(codes.replaced(**pose)))
        return StillFace(placed, self.cloud, self.soft, self.trunk, self.held_index, self.held_share)


def rest_vertices(head: HeadModel, shape: Tensor, units: Sequence[str] = ()) -> Tensor:
    """The person's mesh [V, 3] m at rest, but for expression `units` that are fully on, in the head's own frame."""
    expression = torch.zeros(1, len(head.expression_names))
    expression[:, [head.expression_names.index(name) for name in units]] = 1.0
    nothing = [torch.zeros(1, size) for size in (3, 3, 6, 3, 3)]
    return head.vertices(shape[None], expression, *nothing)[0]


def mouth_points(head: HeadModel, shape: Tensor, cloud: GaussianCloud) -> Tensor:
    """Means [n, 3] m of the mouth Gaussians on the person's mesh at rest."""
    with torch.no_grad():
        splats = Binding(cloud.triangle, head.faces)(cloud, rest_vertices(head, shape)[None])
    return splats.means[0, cloud.region == MOUTH]
