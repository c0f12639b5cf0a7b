"""Gaussians that ride on the triangles of a head: their parameters in the triangles' own frames, with activations."""

from typing import Self

import numpy as np
import torch
from torch import Tensor, nn

from emotag.errors import ArtifactMismatch

# Values of `region`: on the skin and eyes; in or around the mouth; hair, above the scalp or seen beyond the mesh.
REGIONS = ("head", "mouth", "hair")
HEAD, MOUTH, HAIR = range(len(REGIONS))
PARAMETERS = ("mean", "quaternion", "log_scale", "opacity_logit", "sh")
BUFFERS = ("triangle", "region", "trunk_share")


class GaussianCloud(nn.Module):
    """N Gaussians bound to triangles (EmoTaG Eq. 7; GaussianAvatars, Qian et al. 2024).

    Parameters: `mean` [N, 3] in the triangle's frame, in units of its size k; `quaternion` [N, 4] (w, x, y, z), in the
    triangle's frame; `log_scale` [N, 3], natural log, in units of k; `opacity_logit` [N]; `sh` [N, K, 3].
    Buffers: `triangle` [N] index into the head's faces, `region` [N] index into `REGIONS`, `trunk_share` [N] 0 to 1, how far
    it stays with the trunk (`emotag.gaussians.trunk`; None: all move with the head).
    """

    def __init__(
        self,
        mean: Tensor,
        quaternion: Tensor,
        log_scale: Tensor,
        opacity_logit: Tensor,
        sh: Tensor,
        triangle: Tensor,
        region: Tensor,
        trunk_share: Tensor | None = None,
    ) -> None:
        super().__init__()
        self.mean = nn.Parameter(mean)
        self.quaternion = nn.Parameter(quaternion)
        self.log_scale = nn.Parameter(log_scale)
        self.opacity_logit = nn.Parameter(opacity_logit)
        self.sh = nn.Parameter(sh)
        self.register_buffer("triangle", triangle.long())
        self.register_buffer("region", region.long())
        self.register_buffer("trunk_share", mean.new_zeros(len(mean)) if trunk_share is None else trunk_share)

    def __len__(self) -> int:
        return self.mean.shape[0]

    @property
    def scale(self) -> Tensor:
        """[N, 3], positive, in units of the triangle's size."""
        return self.log_scale.exp()

    @property
    def opacity(self) -> Tensor:
        """[N], 0 to 1."""
        return self.opacity_logit.sigmoid()

    def select(self, index: Tensor) -> Self:
        """A new cloud of the Gaussians at `index` ([n] long, or [N] bool); children keep triangle and region."""
        named = {name: getattr(self, name).detach()[index].clone() for name in PARAMETERS + BUFFERS}
        return type(self)(**named)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """One array a parameter or buffer, for an artifact."""
        return {name: getattr(self, name).detach().cpu().numpy() for name in PARAMETERS + BUFFERS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> Self:
        """Back from `to_arrays`.

        Raises:
            ArtifactMismatch: an array is missing, unknown or of another length.
        """
        names = PARAMETERS + BUFFERS
        if set(arrays) != set(names):
            raise ArtifactMismatch(
                f"gaussians: found arrays {sorted(arrays)}, expected {sorted(names)}; make the avatar again"
            )
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) != 1:
            raise ArtifactMismatch(f"gaussians: found lengths {lengths}, expected one length; make the avatar again")
        return cls(**{name: torch.from_numpy(np.array(arrays[name])) for name in names})
