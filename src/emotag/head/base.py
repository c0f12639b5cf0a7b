"""The protocol every head model fulfils.

Convention: metres, y up, the face looks along +z in its rest pose, the origin is the skull's centre of rotation. Posed
vertices are in the camera's frame (camera at the origin looking down -z), so a head in view has translation z < 0.
"""

from typing import Protocol

from torch import Tensor


class HeadModel(Protocol):
    """A triangle mesh moved by shape, expression, jaw, neck, eyes and rigid pose.

    `faces` [F, 3] long; `face_regions` {name: [F] bool} and `vertex_regions` {name: [V] bool} with at least skin, lips,
    mouth_interior, teeth, tongue, eyeballs, eyelids, lashes, brows, scalp, ears, neck, face; `expression_names` (E of
    them) in [0, 1].
    """

    name: str
    faces: Tensor
    expression_names: tuple[str, ...]
    shape_size: int
    face_regions: dict[str, Tensor]
    vertex_regions: dict[str, Tensor]

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

    def action_units(self, expression: Tensor, jaw: Tensor) -> Tensor:
        """[B, E] and [B, 3] relative to neutral, to OpenFace-like intensities [B, A] 0 to 5 (`action_unit_names`)."""
        ...
