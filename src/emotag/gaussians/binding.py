"""From a moving mesh to Gaussians in the camera's frame (EmoTaG Eq. 7), with the mouth's own offsets (Eq. 8)."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from emotag.gaussians.cloud import GaussianCloud
from emotag.gaussians.triangles import triangle_frames
from emotag.geometry.rotations import matrix_to_quaternion, quaternion_product
from emotag.render.base import Splats


@dataclass(frozen=True)
class Offsets:
    """What a network adds to the Gaussians at `index` [n] (Eq. 8), all zero for no change.

    `mean` [B, n, 3] m, in the frame of the binding's `orientation` (neighbours that move alike have like values);
    `quaternion` [B, n, 4]: normalize((1, 0, 0, 0) + it) turns the Gaussian in its triangle's frame;
    `log_scale` [B, n, 3]: the scale is multiplied by exp(it). Centring on the identity is ours: Eq. 8 is a plain sum.
    """

    index: Tensor
    mean: Tensor
    quaternion: Tensor
    log_scale: Tensor


class Binding:
    """Which triangles a cloud uses. Make it again when the cloud's triangles change.

    Args:
        triangle: [N] long, as in `GaussianCloud`.
        faces: [F, 3] of the head.
    """

    def __init__(self, triangle: Tensor, faces: Tensor) -> None:
        used, self._slot = torch.unique(triangle, return_inverse=True)
        self._faces = faces[used]

    def __call__(
        self,
        cloud: GaussianCloud,
        vertices: Tensor,
        orientation: Tensor | None = None,
        offsets: Offsets | None = None,
    ) -> Splats:
        """Gaussians on the posed mesh: mu = k R mu_l + C, r = R r_l, s = k s_l.

        Gradients reach the cloud, the offsets and, through means and sizes, the vertices; a triangle's turn takes none.

        Args:
            cloud: the Gaussians whose `triangle` this binding was made with.
            vertices: [B, V, 3] m, in the camera's frame.
            orientation: [B, 3, 3] head to camera, the frame of SH and mean offsets (None: the camera's own).
            offsets: of some Gaussians.

        Returns:
            Splats of B frames.
        """
        frames = triangle_frames(vertices, self._faces)
        batch, slot = vertices.shape[0], self._slot
        turns = matrix_to_quaternion(frames.rotation.detach()).index_select(1, slot)
        size = frames.size.index_select(1, slot)[..., None]
        axes = (frames.rotation * frames.size[..., None, None]).flatten(-2)
        placed = torch.cat([axes, frames.centre], -1).index_select(1, slot)
        means = (placed[..., :9].unflatten(-1, (3, 3)) * cloud.mean[:, None]).sum(-1) + placed[..., 9:]
        local, scales = normalize(cloud.quaternion, dim=-1).expand(batch, -1, 4), cloud.scale.expand(batch, -1, 3)
        if offsets is not None:
            shift = offsets.mean
            if orientation is not None:
                shift = shift @ orientation.transpose(-1, -2)
            means = means.index_add(1, offsets.index, shift)
            identity = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=shift.dtype, device=shift.device)
            turned = quaternion_product(normalize(offsets.quaternion + identity, dim=-1), local[:, offsets.index])
            local = local.index_copy(1, offsets.index, turned)
            scales = scales.index_copy(1, offsets.index, scales[:, offsets.index] * offsets.log_scale.exp())
        return Splats(
            means,
            quaternion_product(turns, local),
            size * scales,
            cloud.opacity.expand(batch, -1),
            cloud.sh[None],
            orientation,
        )
