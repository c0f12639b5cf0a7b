"""One frame's Gaussians under many poses of the head: what the pose alone moves is placed once and then moved rigidly.

Of the head models here a neck's base does not turn with the head alone; its triangles are bound anew in each pose.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from torch import Tensor

from emotag.gaussians.binding import Binding
from emotag.gaussians.cloud import GaussianCloud
from emotag.gaussians.kernels_binding import product
from emotag.gaussians.trunk import Trunk
from emotag.geometry.rotations import axis_angle_to_matrix, matrix_to_quaternion
from emotag.head.base import HeadModel
from emotag.render.base import Splats

# A vertex closer than this, in m, to where the rigid motion takes it moves rigidly (float32 rounds at a tenth of it).
RIGID_M = 1e-5


def rigid_vertices(head: HeadModel) -> Tensor:
    """[V] bool: the vertices that a pose moves rigidly whatever the face does, found by trying one."""
    random = torch.Generator().manual_seed(0)
    units = len(head.expression_names)
    sizes = {"expression": units, "jaw": 3, "neck": 3, "eyes": 6, "rotation": 3, "translation": 3}
    values = {name: 0.2 * torch.rand(1, size, generator=random) for name, size in sizes.items()}
    shape, still = torch.zeros(1, head.shape_size), torch.zeros(1, 3)
    moved = head.vertices(shape, **values)
    rest = head.vertices(shape, **{**values, "rotation": still, "translation": still})
    expected = rest @ axis_angle_to_matrix(values["rotation"]).transpose(1, 2) + values["translation"]
    return ((moved - expected).norm(dim=-1) < RIGID_M)[0]


@dataclass(frozen=True)
class StillFace:
    """Gaussians `placed` in the head's own frame, [1, N, ...], and what is needed to move them. Gives no gradients.

    `soft` binds those of the `cloud` that do not move rigidly; `held_index` [n] and `held_share` [n] are the trunk's.
    """

    placed: Splats
    cloud: GaussianCloud
    soft: Binding
    trunk: Trunk
    held_index: Tensor
    held_share: Tensor

    def at(self, rotations: Tensor, translations: Tensor, vertices: Tensor) -> Iterator[Splats]:
        """One frame a pose: `rotations` [n, 3] rad, `translations` [n, 3] m, posed `vertices` [n, V, 3] m."""
        turns = axis_angle_to_matrix(rotations)
        quaternions = matrix_to_quaternion(turns)
        rest = self.trunk.rotation.numpy(), self.trunk.translation.numpy()
        held = self.held_index.numpy(), self.held_share.numpy()
        for i in range(len(turns)):
            means, turned = (
                np.empty(tensor.shape[1:], np.float32) for tensor in (self.placed.means, self.placed.quaternions)
            )
            scales = self.placed.scales[0].numpy().copy()
            pose = turns[i].numpy(), translations[i].numpy()
            move(
                self.placed.means[0].numpy(),
                self.placed.quaternions[0].numpy(),
                *pose,
                quaternions[i].numpy(),
                means,
                turned,
            )
            self.soft.place_into(self.cloud, vertices[i : i + 1], (means[None], turned[None], scales[None]))
            hold(means, *held, *pose, *rest)
            drawn = (torch.from_numpy(array)[None] for array in (means, turned, scales))
            yield Splats(*drawn, self.placed.opacities, self.placed.sh, turns[i : i + 1])


@njit(cache=True, nogil=True, error_model="numpy")
def move(means, quaternions, rotation, translation, turn, out_means, out_quaternions):
    """Means [N, 3] and quaternions [N, 4] turned by `rotation` [3, 3] (`turn` as a quaternion [4]) and shifted."""
    for i in range(means.shape[0]):
        for k in range(3):
            out_means[i, k] = (
                rotation[k, 0] * means[i, 0]
                + rotation[k, 1] * means[i, 1]
                + rotation[k, 2] * means[i, 2]
                + translation[k]
            )
        turned = product(
            (turn[0], turn[1], turn[2], turn[3]),
            (quaternions[i, 0], quaternions[i, 1], quaternions[i, 2], quaternions[i, 3]),
        )
        for k in range(4):
            out_quaternions[i, k] = turned[k]


@njit(cache=True, nogil=True, error_model="numpy")
def hold(means, index, share, rotation, translation, rest_rotation, rest_translation):
    """`Trunk.hold` of one frame's means [N, 3], in place."""
    for n in range(index.size):
        i = index[n]
        x, y, z = means[i, 0] - translation[0], means[i, 1] - translation[1], means[i, 2] - translation[2]
        a = x * rotation[0, 0] + y * rotation[1, 0] + z * rotation[2, 0]
        b = x * rotation[0, 1] + y * rotation[1, 1] + z * rotation[2, 1]
        c = x * rotation[0, 2] + y * rotation[1, 2] + z * rotation[2, 2]
        for k in range(3):
            resting = rest_rotation[k, 0] * a + rest_rotation[k, 1] * b + rest_rotation[k, 2] * c + rest_translation[k]
            means[i, k] += share[n] * (resting - means[i, k])
