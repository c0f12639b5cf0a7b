"""Head models with ARKit-named units: the MakeHuman head (see `emotag.head.makehuman_build`) and ICT-FaceKit (`ict_build`).

Vertices are linear in shape, expression and jaw; eyeballs truly turn about their centres and the lids follow; the head
turns with the root about the point midway between the ears and the neck takes a share of it (linear blend skinning).
"""

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from emotag.errors import ArtifactMismatch
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head import arkit_action_units
from emotag.head.arkit_data import ArkitData, cut_vertices
from emotag.head.landmark_embedding import LandmarkEmbedding, shipped_embedding
from emotag.head.limits import levelled
from emotag.head.regions import region_masks

# Share of the head's rotation that the base of the neck takes; vertices in between are blended by the rig's weights.
NECK_SHARE = 0.3
# How far beyond [0, 1] `soft_limits` lets an expression unit go.
SOFT_MARGIN = 0.05


class ArkitHead:
    """A `HeadModel` whose expression units go by their ARKit names.

    MakeHuman: 100 identity components, 41 units, V = 5174, F = 10064. ICT-FaceKit: 100, 41, V = 25967, F = 51334.

    `jaw` [B, 3] rad: pitch (opening, 0 to `jaw_limits[0]`, where ARKit's jawOpen = 1), yaw (positive to the subject's
    left, |yaw| to `jaw_limits[1]`, where jawLeft or jawRight = 1), and a third channel that this model does not have
    (ignored, keep it 0). Both are linear: displacement = angle / limit times the ARKit unit's.
    `eyes` [B, 6] rad: axis-angle of the left, then the right eye in the head's frame: pitch (positive looks down), yaw
    (positive looks to the subject's left), roll. `neck` [B, 3] rad axis-angle, turns the base of the neck on top of its
    share of `rotation`. `vertex_regions` and `face_regions` are disjoint and complete but for `face`, which overlaps.
    """

    action_unit_names = arkit_action_units.NAMES
    eyelid_units = ("eyeBlinkLeft", "eyeBlinkRight")

    def __init__(
        self,
        data: ArkitData,
        device: str | torch.device = "cpu",
        embedding: LandmarkEmbedding | None = None,
    ) -> None:
        self.data = data
        self._embedding = embedding
        self.name = data.name
        self.device = torch.device(device)
        self.expression_names = tuple(data.expression_names)
        ends = (torch.zeros, torch.ones)
        self.expression_limits = tuple(make(len(self.expression_names), device=device) for make in ends)
        self.jaw_limits = (float(data.jaw_limits[0]), float(data.jaw_limits[1]))
        self.shape_size = len(data.shape_basis)
        self.vertex_count = len(data.neutral)
        self.faces = self._tensor(data.faces)
        self.uv = self._tensor(data.uv)
        self.neutral = self._tensor(data.neutral)
        self.root_share = self._tensor(data.root_share)
        self._soft = (self.root_share < 1).nonzero()[:, 0]
        self.shape_basis = self._tensor(data.shape_basis.reshape(self.shape_size, -1))
        units = [data.expression_basis, data.jaw_basis, data.lid_basis]
        self.unit_basis = torch.cat([self._tensor(basis.reshape(len(basis), -1)) for basis in units])
        self.eyeballs = tuple(self._tensor(mask).nonzero()[:, 0] for mask in data.eyeball)
        self._lids = self._lid_channels()
        parts = map(self._tensor, (data.face_part, data.face_area, data.vertex_part))
        self.face_regions, self.vertex_regions = region_masks(self.faces, *parts)

    @cached_property
    def embedding(self) -> LandmarkEmbedding:
        """Where MediaPipe's 478 points lie on the surface."""
        return (self._embedding or shipped_embedding(self.name)).to(self.device)

    def to(self, device: str | torch.device) -> "ArkitHead":
        """The same head on another device."""
        return ArkitHead(self.data, device, self._embedding)

    def for_landmarks(self) -> "ArkitHead":
        """The same head with only the vertices that carry the landmarks: the same 478 points, several times faster."""
        triangles = self.embedding.triangles.cpu().numpy()
        carrying = np.zeros(self.vertex_count, bool)
        carrying[triangles] = True
        carrying |= self.data.eyeball.any(0)
        number = np.cumsum(carrying) - 1
        embedding = replace(self.embedding, triangles=torch.as_tensor(number[triangles], device=self.device))
        return ArkitHead(cut_vertices(self.data, carrying), self.device, embedding)

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

        Args: `shape` [B or 1, S], `expression` [B, E], `jaw` [B, 3] rad, `neck` [B, 3] rad, `eyes` [B, 6] rad,
        `rotation` [B, 3] rad axis-angle, `translation` [B, 3] m.

        Returns: [B, V, 3] m in the camera's frame.
        """
        person = (self.neutral.flatten() + shape @ self.shape_basis).unflatten(-1, (-1, 3))
        units = torch.cat([expression, jaw[:, :2], self._lid_weights(eyes)], -1)
        local = person + (units @ self.unit_basis).unflatten(-1, (-1, 3))
        turns = eyes.unflatten(-1, (2, 3)).unbind(1)
        turned = [self._turn_eye(person[:, index], turn) for index, turn in zip(self.eyeballs, turns, strict=True)]
        local = local.index_copy(1, torch.cat(self.eyeballs), torch.cat(turned, 1))
        return self._pose(local, neck, rotation) + translation[:, None]

    def _pose(self, local: Tensor, neck: Tensor, rotation: Tensor) -> Tensor:
        """Blend the head's rotation with that of the neck's base, per vertex."""
        head = local @ axis_angle_to_matrix(rotation).transpose(1, 2)
        base = local[:, self._soft] @ axis_angle_to_matrix(NECK_SHARE * rotation + neck).transpose(1, 2)
        blended = torch.lerp(base, head[:, self._soft], self.root_share[self._soft, None])
        return head.index_copy(1, self._soft, blended)

    @staticmethod
    def _turn_eye(eyeball: Tensor, turn: Tensor) -> Tensor:
        """Turn one eyeball about its centre (the mean of its vertices: they lie on a sphere)."""
        centre = eyeball.mean(1, keepdim=True)
        return centre + (eyeball - centre) @ axis_angle_to_matrix(turn).transpose(1, 2)

    def _lid_weights(self, eyes: Tensor) -> Tensor:
        """Angles in rad by which the lids follow, one a lid unit [B, 8]: each unit follows one direction only."""
        channel, sign = self._lids
        return torch.relu(eyes[:, channel] * sign)

    def _lid_channels(self) -> tuple[Tensor, Tensor]:
        """Which channel of `eyes` moves each lid unit, and with which sign."""
        directions = {"Down": (0, 1.0), "Up": (0, -1.0), "InLeft": (1, -1.0), "OutLeft": (1, 1.0)}
        directions |= {"InRight": (1, 1.0), "OutRight": (1, -1.0)}
        channels, signs = [], []
        for name in self.data.lid_names:
            kind = name.removeprefix("eyeLook")
            axis, sign = directions.get(kind) or directions[kind.removesuffix("Left").removesuffix("Right")]
            channels.append(axis + (3 if name.endswith("Right") else 0))
            signs.append(sign)
        return torch.tensor(channels, device=self.device), torch.tensor(signs, device=self.device)

    def landmarks(self, vertices: Tensor, offsets: Tensor | None = None, rotation: Tensor | None = None) -> Tensor:
        """The 478 MediaPipe points of posed vertices.

        See `LandmarkEmbedding.points`.
        """
        return self.embedding.points(vertices, offsets, rotation)

    def action_units(self, expression: Tensor, jaw: Tensor) -> Tensor:
        """[B, E] and [B, 3] rad relative to neutral, to [B, A] 0 to 5 (`action_unit_names`); the map is ours."""
        return arkit_action_units.action_units(expression, jaw, self.expression_names, self.jaw_limits)

    def soft_limits(self, expression: Tensor) -> Tensor:
        """Identity on [0, 1], smoothly levelling off at -0.05 and 1.05 outside (once differentiable)."""
        return levelled(expression, *self.expression_limits, SOFT_MARGIN)

    def unit(self, name: str) -> int:
        """Column of an expression unit.

        Raises:
            ArtifactMismatch: this head has no such unit.

        """
        if name not in self.expression_names:
            raise ArtifactMismatch(
                f"{self.name}: no expression unit {name!r}; it has {', '.join(self.expression_names)}"
            )
        return self.expression_names.index(name)

    def _tensor(self, array: object) -> Tensor:
        return torch.as_tensor(array, device=self.device)
