"""FLAME as a `HeadModel`: `FlameMesh` with teeth, regions, landmarks and action units.

Its own rotation is that of the root joint; the protocol's turns about the origin, so that the head is rigid under it
(`root_translation` converts). The root owns the head's rotation; `neck` is free, and the tracker leaves it at rest.
"""

from functools import cached_property

import torch
from torch import Tensor

from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head import arkit_action_units
from emotag.head.flame import FlameMesh
from emotag.head.flame_data import FlameHeadData
from emotag.head.landmark_embedding import LandmarkEmbedding
from emotag.head.limits import levelled
from emotag.head.regions import region_masks

# In standard deviations of FLAME's expression components.
EXPRESSION_LIMIT, SOFT_MARGIN = 4.0, 0.2


class FlameHead:
    """FLAME's expression space in channels that belong to the upper or to the lower face (`emotag.head.flame_build`).

    `jaw` [B, 3] and `neck` [B, 3] rad axis-angle; `eyes` [B, 6] rad: left, then right. There is no channel for eyelids:
    blinks are part of the expression. Pitch of the jaw opens it, yaw is positive to the subject's left.
    """

    action_unit_names = arkit_action_units.NAMES
    eyelid_units: tuple[str, ...] = ()

    def __init__(self, data: FlameHeadData, device: str | torch.device = "cpu") -> None:
        self.data = data
        self.name = data.name
        self.device = torch.device(device)
        self.mesh = FlameMesh(data, device)
        self.faces, self.neutral = self.mesh.faces, self.mesh.neutral
        self.uv = self._tensor(data.uv)
        self.shape_size = len(data.shape_basis)
        self.vertex_count = len(data.neutral)
        self.root_share = torch.ones(self.vertex_count, device=device)
        self.eyeballs = tuple(self._tensor(mask).nonzero()[:, 0] for mask in data.eyeball)
        self.expression_names = tuple(data.expression_names)
        limit = torch.full((len(self.expression_names),), EXPRESSION_LIMIT, device=device)
        self.expression_limits = (-limit, limit)
        self.jaw_limits = (float(data.jaw_limits[0]), float(data.jaw_limits[1]))
        self.mixing = self._tensor(data.mixing)
        self._unit_map = self._tensor(data.unit_map)
        parts = map(self._tensor, (data.face_part, data.face_area, data.vertex_part))
        self.face_regions, self.vertex_regions = region_masks(self.faces, *parts)

    @cached_property
    def embedding(self) -> LandmarkEmbedding:
        """Where MediaPipe's 478 points lie on the surface."""
        arrays = (self.data.landmark_triangles, self.data.landmark_barycentric, self.data.landmark_spread)
        triangles, barycentric, spread = map(self._tensor, arrays)
        return LandmarkEmbedding(triangles, barycentric, torch.zeros(len(spread), 3, device=self.device), spread)

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
        """Posed vertices [B, V, 3] m in the camera's frame; arguments as in `HeadModel`."""
        still = torch.zeros_like(rotation)
        local = self.mesh.vertices(shape, expression, jaw, neck, eyes, still, still)
        return local @ axis_angle_to_matrix(rotation).transpose(1, 2) + translation[:, None]

    def root_translation(self, shape: Tensor, expression: Tensor, rotation: Tensor) -> Tensor:
        """[B, 3] m: a translation here less the one with which FLAME's own convention (rotation about the root joint)
        gives the same vertices."""
        root = self.mesh.joints(shape.expand(len(expression), -1), expression)[:, 0]
        return root - (axis_angle_to_matrix(rotation) @ root[..., None])[..., 0]

    def landmarks(self, vertices: Tensor, offsets: Tensor | None = None, rotation: Tensor | None = None) -> Tensor:
        """The 478 MediaPipe points of posed vertices, see `LandmarkEmbedding.points`."""
        return self.embedding.points(vertices, offsets, rotation)

    def soft_limits(self, expression: Tensor) -> Tensor:
        """Identity up to 4 standard deviations, smoothly levelling off just beyond."""
        return levelled(expression, *self.expression_limits, SOFT_MARGIN)

    def action_units(self, expression: Tensor, jaw: Tensor) -> Tensor:
        """[B, E] and [B, 3] rad relative to neutral, to [B, A] 0 to 5 (`action_unit_names`).

        FLAME names no units: the ARKit units whose landmarks move most alike (`unit_map`) stand in for them.
        """
        found = torch.cat([expression, jaw[:, :2]], 1) @ self._unit_map.T
        units, angles = found[:, :-2], found[:, -2:]
        return arkit_action_units.action_units(units, angles, tuple(self.data.unit_names), self.jaw_limits)

    def _tensor(self, array: object) -> Tensor:
        return torch.as_tensor(array, device=self.device)
