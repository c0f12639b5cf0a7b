"""Mouth field: offsets of each mouth Gaussian from its canonical position and the frame's features (EmoTaG Eq. 8).

A base head reads pooled speech, a residual head the emotion and acts under the motion network's gate. Offsets are
centred on the identity (normalize((1, 0, 0, 0) + d) for rotations, exp(d) for scales: a stated deviation from Eq. 8's
plain sum) and the last layers start at zero: an untrained field changes nothing. The position encoding is a tri-plane
of dense grids (12 levels of one feature, 16 to 38 cells, as the released hash grid resolves: nothing needs hashing).
"""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotag.errors import ArtifactMismatch
from emotag.types import EMOTIONS

OFFSETS = 10


@dataclass(frozen=True)
class MouthArchitecture:
    """Sizes of the field; `condition` is the motion network's width, an output of 1 moves by `metres`. Without `gated` the
    residual head acts in every frame."""

    condition: int = 256
    levels: int = 12
    coarsest: int = 16
    finest: int = 38
    hidden: int = 64
    metres: float = 0.01
    gated: bool = True

    def plain(self) -> dict[str, Any]:
        """As a dictionary that JSON can hold."""
        return asdict(self)


class MouthOffsets(NamedTuple):
    """`mean` [B, N, 3] m in the head's frame, `quaternion` [B, N, 4] and `log_scale` [B, N, 3], zero for no change: the
    fields of `emotag.gaussians.binding.Offsets` after its index."""

    mean: Tensor
    quaternion: Tensor
    log_scale: Tensor


class TriPlane(nn.Module):
    """[N, 3] positions in [-1, 1] to [N, 3 * levels]: bilinear features of the xy, yz and zx planes."""

    def __init__(self, levels: int, coarsest: int, finest: int) -> None:
        super().__init__()
        edges = np.geomspace(coarsest, finest, levels).round().astype(int)
        grids = (torch.empty(3, 1, edge, edge).uniform_(-1e-2, 1e-2) for edge in edges)
        self.grids = nn.ParameterList(nn.Parameter(grid) for grid in grids)
        self.size = 3 * levels

    def forward(self, positions: Tensor) -> Tensor:
        """Positions outside the cube take the border's features."""
        planes = torch.stack([positions[:, [0, 1]], positions[:, [1, 2]], positions[:, [2, 0]]])[:, :, None]
        features = [
            F.grid_sample(grid, planes, mode="bilinear", padding_mode="border", align_corners=True)
            for grid in self.grids
        ]
        return torch.cat([level[:, 0, :, 0] for level in features]).T


class MouthHead(nn.Module):
    """Three linear layers of 64 to ten offsets. The first is split: positions once, condition once a frame."""

    def __init__(self, position: int, condition: int, hidden: int) -> None:
        super().__init__()
        self.position = nn.Linear(position, hidden)
        self.condition = nn.Linear(condition, hidden, bias=False)
        self.middle = nn.Linear(hidden, hidden)
        self.last = nn.Linear(hidden, OFFSETS)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, encoding: Tensor, condition: Tensor) -> Tensor:
        """[N, P] encoding and [B, D] condition to [B, N, 10]."""
        hidden = torch.relu(self.position(encoding)[None] + self.condition(condition)[:, None])
        return self.last(torch.relu(self.middle(hidden)))


class MouthField(nn.Module):
    """See the module. `positions` [N, 3] are canonical: rest pose, centred on the mouth, over half the field's extent,
    so within [-1, 1]; beyond that the border's features are read."""

    def __init__(self, architecture: MouthArchitecture, positions: Tensor) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.encoding = TriPlane(a.levels, a.coarsest, a.finest)
        self.base = MouthHead(self.encoding.size, a.condition, a.hidden)
        self.residual = MouthHead(self.encoding.size, len(EMOTIONS), a.hidden)
        self.register_buffer("positions", positions.detach().to(torch.float32))

    def forward(self, condition: Tensor, gate: Tensor, emotion: Tensor) -> MouthOffsets:
        """`condition` [B, D], `gate` [B, 1], `emotion` [B, 7] logits."""
        encoding = self.encoding(self.positions)
        residual = self.residual(encoding, torch.softmax(emotion, -1))
        shown = gate[:, :, None] * residual if self.architecture.gated else residual
        raw = self.base(encoding, condition) + shown
        mean, quaternion, log_scale = raw.split((3, 4, 3), -1)
        return MouthOffsets(self.architecture.metres * mean, quaternion, log_scale)

    def at(self, positions: Tensor) -> Self:
        """This field for other Gaussians: the weights are shared, the positions [N, 3] are its own."""
        other = copy.copy(self)
        other._buffers = {"positions": positions.detach().to(torch.float32)}
        return other

    def weights(self) -> dict[str, np.ndarray]:
        """What is learnt, as arrays for a Prior: all but the positions."""
        return {name: array for name, array in self.arrays().items() if name != "positions"}

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and positions as arrays for an artifact."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.state_dict().items()}


def canonical_positions(points: Tensor) -> Tensor:
    """[N, 3] rest positions of the mouth Gaussians in m to [-1, 1], centred, one scale for all axes."""
    low, high = points.amin(0), points.amax(0)
    return (points - (low + high) / 2) / ((high - low).amax() / 2).clamp_min(1e-6)


def begun(field: MouthField, weights: Mapping[str, np.ndarray]) -> MouthField:
    """The field with the `weights` of a Prior (none: as it is). The given field is changed.

    Raises:
        ArtifactMismatch: names or shapes of the weights are not those of the field.
    """
    if weights:
        learnt = {name: torch.from_numpy(np.array(value)) for name, value in weights.items()}
        try:
            field.load_state_dict(learnt | {"positions": field.positions})
        except RuntimeError as error:
            raise ArtifactMismatch(
                f"mouth field: the prior's weights do not fit the field ({error}); make the prior again"
            ) from error
    return field


def load(arrays: Mapping[str, np.ndarray], architecture: Mapping[str, Any]) -> MouthField:
    """The field of an Avatar's `mouth` arrays and the architecture kept beside them, in evaluation mode.

    Raises:
        ArtifactMismatch: names or shapes of the arrays are not those of the architecture.
    """
    try:
        field = MouthField(MouthArchitecture(**architecture), torch.from_numpy(np.array(arrays["positions"])))
        field.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    except (TypeError, KeyError, RuntimeError) as error:
        raise ArtifactMismatch(
            f"mouth field: the stored weights do not fit the stored architecture ({error}); adapt the identity again"
        ) from error
    return field.eval()
