"""From a moving mesh to Gaussians in the camera's frame (EmoTaG Eq. 7), with the mouth's own offsets (Eq. 8)."""

from copy import copy
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import normalize

from emotag.gaussians.cloud import GaussianCloud
from emotag.gaussians.kernels_binding import bind, unbind
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


class _Place(torch.autograd.Function):
    """Equation 7 on the CPU in float32, by numba."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        triangles: tuple[np.ndarray, ...],
        vertices: Tensor,
        mean: Tensor,
        quaternion: Tensor,
        log_scale: Tensor,
    ) -> tuple[Tensor, ...]:
        given = [tensor.detach().contiguous().numpy() for tensor in (vertices, mean, quaternion, log_scale)]
        # One vectorised call: scalar ones in the kernels cost as much as the rest of them.
        given[3] = np.exp(given[3])
        out = [np.empty((len(vertices), len(mean), size), np.float32) for size in (3, 4, 3)]
        bind(given[0], *triangles, *given[1:], *out)
        ctx.kept = (triangles, given)
        return tuple(torch.from_numpy(array) for array in out)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        triangles, given = ctx.kept
        by_vertices = np.zeros(given[0].shape)
        by_local = [np.zeros_like(array) for array in given[1:]]
        unbind(given[0], *triangles, *given[1:], *(g.contiguous().numpy() for g in gradients), by_vertices, *by_local)
        return None, torch.from_numpy(by_vertices).float(), *(torch.from_numpy(array) for array in by_local)


class Binding:
    """Which triangles a cloud uses. Make it again when the cloud's triangles change.

    Args:
        triangle: [N] long, as in `GaussianCloud`.
        faces: [F, 3] of the head.
    """

    def __init__(self, triangle: Tensor, faces: Tensor) -> None:
        self._used, self._slot = torch.unique(triangle, return_inverse=True)
        self._faces = faces[self._used]
        # For the kernels: corners of the triangles in use, and which Gaussians ride on each.
        riders = self._slot.argsort(stable=True)
        starts = torch.searchsorted(self._slot[riders], torch.arange(len(self._used) + 1, device=triangle.device))
        self._triangles = tuple(tensor.cpu().numpy() for tensor in (self._faces, starts, riders))

    def of_triangles(self, chosen: Tensor) -> Self:
        """The binding of those Gaussians alone that ride on the triangles `chosen` [F] bool; for `place_into`."""
        part = copy(self)
        corners, starts, riders = self._triangles
        slots = np.flatnonzero(chosen[self._used].cpu().numpy())
        own = [riders[starts[slot] : starts[slot + 1]] for slot in slots]
        ends = np.cumsum([0, *(len(one) for one in own)])
        part._triangles = (corners[slots], ends, np.concatenate([np.zeros(0, riders.dtype), *own]))
        return part

    def place_into(
        self, cloud: GaussianCloud, vertices: Tensor, out: tuple[np.ndarray, np.ndarray, np.ndarray]
    ) -> None:
        """Write means [B, N, 3], quaternions [B, N, 4] and scales [B, N, 3] of the binding's Gaussians on the posed `vertices`
        [B, V, 3], on the CPU and in float32; what `out` holds of others stays."""
        local = (cloud.mean, cloud.quaternion, cloud.scale)
        bind(vertices.contiguous().numpy(), *self._triangles, *(tensor.detach().numpy() for tensor in local), *out)

    def __call__(
        self,
        cloud: GaussianCloud,
        vertices: Tensor,
        orientation: Tensor | None = None,
        offsets: Offsets | None = None,
    ) -> Splats:
        """Gaussians on the posed mesh: mu = k R mu_l + C, r = R r_l, s = k s_l.

        Gradients reach the cloud, the offsets and, through means and sizes, the vertices; a triangle's turn takes none.
        On the CPU in float32 a fused kernel does it, elsewhere torch.

        Args:
            cloud: the Gaussians whose `triangle` this binding was made with.
            vertices: [B, V, 3] m, in the camera's frame.
            orientation: [B, 3, 3] head to camera, the frame of SH and mean offsets (None: the camera's own).
            offsets: of some Gaussians.

        Returns:
            Splats of B frames.
        """
        if vertices.device.type == "cpu" and vertices.dtype == torch.float32:
            placed = _Place.apply(self._triangles, vertices, cloud.mean, cloud.quaternion, cloud.log_scale)
        else:
            placed = self._place(cloud, vertices)
        means, quaternions, scales = placed if offsets is None else _moved(placed, cloud, offsets, orientation)
        opacities = cloud.opacity.expand(len(vertices), -1)
        # The pose is to be learnt from where things are, not from how they are shaded: no gradient through the shading.
        facing = None if orientation is None else orientation.detach()
        return Splats(means, quaternions, scales, opacities, cloud.sh[None], facing)

    def _place(self, cloud: GaussianCloud, vertices: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        frames = triangle_frames(vertices, self._faces)
        # One conversion a triangle and one gather, however many Gaussians ride on it.
        turns = matrix_to_quaternion(frames.rotation.detach()).index_select(1, self._slot)
        size = frames.size.index_select(1, self._slot)[..., None]
        axes = (frames.rotation * frames.size[..., None, None]).flatten(-2)
        placed = torch.cat([axes, frames.centre], -1).index_select(1, self._slot)
        means = (placed[..., :9].unflatten(-1, (3, 3)) * cloud.mean[:, None]).sum(-1) + placed[..., 9:]
        local = normalize(cloud.quaternion, dim=-1)
        return means, quaternion_product(turns, local.expand_as(turns)), size * cloud.scale


def _moved(
    placed: tuple[Tensor, Tensor, Tensor], cloud: GaussianCloud, offsets: Offsets, orientation: Tensor | None
) -> tuple[Tensor, Tensor, Tensor]:
    """Means, quaternions and scales with the offsets of some Gaussians applied."""
    means, quaternions, scales = placed
    index = offsets.index
    shift = offsets.mean if orientation is None else offsets.mean @ orientation.transpose(-1, -2)
    means = means.index_add(1, index, shift)
    # The Gaussian's turn q = f l of its triangle's f and its own l becomes f d l = q (l* d l).
    identity = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=shift.dtype, device=shift.device)
    local = normalize(cloud.quaternion[index], dim=-1)
    conjugate = local * torch.tensor([1.0, -1.0, -1.0, -1.0], dtype=shift.dtype, device=shift.device)
    turn = quaternion_product(normalize(offsets.quaternion + identity, dim=-1), local.expand_as(offsets.quaternion))
    own = quaternion_product(conjugate.expand_as(turn), turn)
    quaternions = quaternions.index_copy(1, index, quaternion_product(quaternions[:, index], own))
    scales = scales.index_copy(1, index, scales[:, index] * offsets.log_scale.exp())
    return means, quaternions, scales
