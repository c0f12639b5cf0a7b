"""The rigged deformer: driving codes move the mesh, the mesh moves the Gaussians (EmoTaG, Eq. 7 and 8)."""

from torch import Tensor, nn

from emotag.gaussians import binding
from emotag.gaussians.cloud import GaussianCloud
from emotag.head.base import HeadModel
from emotag.motion.codes import Codes
from emotag.render.base import Splats


class RiggedDeformer(nn.Module):
    """`deformer(codes) -> Splats` for one person: a head model, a frozen shape, a cloud and optionally a mouth field.

    The mouth field turns a frame's condition into offsets of the mouth Gaussians, under the gate of the code; they are
    centred on the identity (a stated deviation from Eq. 8's plain sum: mean + d, normalize([1,0,0,0] + d), scale * exp(d)).
    """

    def __init__(self, head: HeadModel, shape: Tensor, cloud: GaussianCloud, mouth: nn.Module | None = None) -> None:
        super().__init__()
        self.head = head
        self.cloud = cloud
        self.mouth = mouth
        self.register_buffer("shape", shape)

    def mesh(self, codes: Codes) -> Tensor:
        """Posed vertices [B, V, 3] m in the camera's frame."""
        shape = self.shape.expand(len(codes), -1)
        return self.head.vertices(
            shape, codes.expression, codes.jaw, codes.neck, codes.eyes, codes.rotation, codes.translation
        )

    def forward(self, codes: Codes, mouth_moves: bool = True) -> Splats:
        """B frames of splats in the camera's frame; `mouth_moves` False leaves the mouth Gaussians on their triangles."""
        offsets = None
        if self.mouth is not None and mouth_moves:
            offsets = self.mouth(codes.condition, codes.gate)
        return binding.attach(self.cloud, self.mesh(codes), self.head.faces, offsets)
