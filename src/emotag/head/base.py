"""The protocol every head model fulfils.

Convention: metres, y up, the face looks along +z in its rest pose, the origin is the point about which `rotation` turns.
Posed vertices are in the camera's frame (camera at the origin looking down -z), so a head in view has translation z < 0.
"""

from typing import Protocol

from torch import Tensor

from emotag.head.landmark_embedding import LandmarkEmbedding


class HeadModel(Protocol):
    """A triangle mesh moved by shape, expression, jaw, neck, eyes and rigid pose.

    `faces` [F, 3] long, `uv` [F, 3, 2]; `neutral` [V, 3] m, the mean person at rest. `face_regions` {name: [F] bool} and
    `vertex_regions` {name: [V] bool} with `emotag.head.regions.PARTS` and `face`; `eyeballs`: vertex numbers of the left,
    then the right one. `root_share` [V]: share of `rotation` that a vertex takes. `embedding`: where MediaPipe's 478 points
    lie (the 68 of `emotag.head.landmark_sets.IBUG_68` are among them). `expression_names` (E of them) with
    `expression_limits`, two [E]: units from 0 to 1, or coefficients that have a sign. `eyelid_units`: names of those that
    close the left, then the right eye; empty where the model has no channel for eyelids.
    `jaw_limits`: pitch and yaw in rad of a wide open and a far shifted jaw.
    """

    name: str
    faces: Tensor
    uv: Tensor
    neutral: Tensor
    eyeballs: tuple[Tensor, ...]
    root_share: Tensor
    expression_names: tuple[str, ...]
    expression_limits: tuple[Tensor, Tensor]
    eyelid_units: tuple[str, ...]
    action_unit_names: tuple[str, ...]
    jaw_limits: tuple[float, float]
    shape_size: int
    face_regions: dict[str, Tensor]
    vertex_regions: dict[str, Tensor]

    @property
    def embedding(self) -> LandmarkEmbedding:
        """Where MediaPipe's 478 points lie on the surface."""
        ...

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
        """[B or 1, S], [B, E], [B, 3], [B, 3], [B, 6], [B, 3] rad, [B, 3] m to [B, V, 3] m in the camera's frame."""
        ...

    def landmarks(self, vertices: Tensor, offsets: Tensor | None = None, rotation: Tensor | None = None) -> Tensor:
        """The 478 MediaPipe points [B, 478, 3] of posed vertices; `offsets` [478, 3] m in the head's frame are added
        after turning them by `rotation` [B, 3].
        """
        ...

    def soft_limits(self, expression: Tensor) -> Tensor:
        """`expression` [..., E] within `expression_limits`, smoothly levelling off just outside."""
        ...

    def action_units(self, expression: Tensor, jaw: Tensor) -> Tensor:
        """[B, E] and [B, 3] relative to neutral, to OpenFace-like intensities [B, A] 0 to 5 (`action_unit_names`)."""
        ...
