"""What follows the trunk: a neck's base stays with the shoulders, and long hair hangs and lies on them.

The head model here is posed rigidly, so each Gaussian carries a share: 0 moves with the head, 1 rests where the person's
mean pose has it. In between positions are blended, as in linear blend skinning with two joints (FLAME, Li et al. 2017).
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.base import HeadModel

# Share at the rim of the neck: measured on long necks the best of 0, .25, .5, .75, 1.
RIM_SHARE = 0.75
# The lowest part of the neck's triangles, by height, that counts as its rim.
RIM = 0.05


@dataclass(frozen=True)
class Trunk:
    """The pose of rest: `rotation` [3, 3] and `translation` [3] m, head to camera."""

    rotation: Tensor
    translation: Tensor

    @classmethod
    def mean_of(cls, rotations: np.ndarray, translations: np.ndarray) -> Self:
        """Of tracked poses: axis-angle [T, 3] rad and [T, 3] m."""
        mean = torch.from_numpy(rotations.mean(0, dtype=np.float64)).float()
        return cls(axis_angle_to_matrix(mean), torch.from_numpy(translations.mean(0, dtype=np.float64)).float())

    def hold(self, means: Tensor, index: Tensor, share: Tensor, rotation: Tensor, translation: Tensor) -> Tensor:
        """Means [B, N, 3] m in the camera's frame with the Gaussians at `index` [n] drawn to their place of rest by
        `share` [n]; the head's `rotation` [B, 3, 3] and `translation` [B, 3] say where they are now."""
        moving = means.index_select(1, index)
        local = (moving - translation[:, None]) @ rotation
        resting = local @ self.rotation.T + self.translation
        return means.index_add(1, index, share[:, None] * (resting - moving))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """For an artifact."""
        return {"rotation": self.rotation.numpy(), "translation": self.translation.numpy()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Back from `to_arrays`."""
        return cls(*(torch.from_numpy(np.array(arrays[name])) for name in ("rotation", "translation")))


def neck_share(head: HeadModel, vertices: Tensor) -> Tensor:
    """[F] share of each triangle at rest `vertices` [V, 3] m: 0 off the neck, rising from the head to the neck's rim."""
    centres = vertices[head.faces].mean(1)
    neck = head.face_regions["neck"]
    share = torch.zeros(len(centres))
    if not neck.any():
        return share
    on_neck = centres[neck]
    rim = on_neck[on_neck[:, 1] <= on_neck[:, 1].quantile(RIM)]
    to_head = nearest_m(on_neck, centres[~neck])
    to_rim = nearest_m(on_neck, rim)
    share[neck] = RIM_SHARE * to_head / (to_head + to_rim).clamp_min(1e-9)
    return share


def nearest_m(points: Tensor, others: Tensor) -> Tensor:
    """[n] m from each of `points` [n, 3] to the nearest of `others` [m, 3]."""
    return torch.cat([torch.cdist(part, others).amin(1) for part in points.split(1024)])
