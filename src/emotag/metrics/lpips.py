"""LPIPS v0.1 with AlexNet, without torchvision (Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features").

Trunk: torchvision's alexnet-owt-7be5be79.pth, of which `features` 0, 3, 6, 8 and 10 are the convolutions (64 of 11x11 stride 4
padding 2, 192 of 5x5, 384, 256 and 256 of 3x3, max pooling 3/2 before the second and third). Heads: weights/v0.1/alex.pth of
the `lpips` wheel, `lin0` to `lin4`, one non-negative weight a channel. RGB in -1..1 is shifted and scaled as in lpips.py
(ScalingLayer); after each ReLU features are divided by their norm over channels (1e-10 added), squared differences are weighted
and averaged over pixels, and the five layers added. About 0.1 s a 512 px picture on one core, 15 MB.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotag.errors import ArtifactMismatch
from emotag.io.pickles import read_checkpoint

SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
# Number in `features`, channels in and out, kernel, stride, padding, and whether pooling comes before.
LAYERS = (
    (0, 3, 64, 11, 4, 2, False),
    (3, 64, 192, 5, 1, 2, True),
    (6, 192, 384, 3, 1, 1, True),
    (8, 384, 256, 3, 1, 1, False),
    (10, 256, 256, 3, 1, 1, False),
)
EPSILON = 1e-10
SMALLEST_PX = 31


class Lpips(nn.Module):
    """Distance of pictures; 0 for equal ones."""

    def __init__(self) -> None:
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.Conv2d(inputs, outputs, kernel, stride, padding)
            for _, inputs, outputs, kernel, stride, padding, _ in LAYERS
        )
        self.heads = nn.ParameterList(torch.zeros(outputs) for _, _, outputs, *_ in LAYERS)

    def features(self, picture: np.ndarray) -> list[Tensor]:
        """Five maps [C, h, w] of unit length over channels, of a picture [H, W, 3] uint8 RGB of at least 31 px."""
        x = torch.from_numpy(picture.astype(np.float32) / 127.5 - 1)
        x = ((x - torch.tensor(SHIFT)) / torch.tensor(SCALE)).permute(2, 0, 1)[None]
        found = []
        for convolution, layer in zip(self.convolutions, LAYERS, strict=True):
            x = F.relu(convolution(F.max_pool2d(x, 3, 2) if layer[-1] else x))
            found.append((x / (x.square().sum(1, keepdim=True).sqrt() + EPSILON))[0])
        return found

    @torch.no_grad()
    def distances(self, truth: np.ndarray, pictures: list[np.ndarray]) -> list[float]:
        """The distance of each of `pictures` [H, W, 3] uint8 RGB from `truth`, whose features are taken once."""
        real = self.features(truth)
        return [self._between(real, self.features(picture)) for picture in pictures]

    def _between(self, one: list[Tensor], two: list[Tensor]) -> float:
        layers = zip(self.heads, one, two, strict=True)
        return float(sum(torch.einsum("c,chw->hw", head, (a - b).square()).mean() for head, a, b in layers))


def load(trunk: Path, heads: Path) -> Lpips:
    """The distance from its two files.

    Raises:
        AssetMissing, ArtifactMismatch: one of them is not there, or is another file.
    """
    weights, linear = read_checkpoint(trunk), read_checkpoint(heads)
    state: dict[str, Tensor] = {}
    network = Lpips()
    try:
        for index, (number, *_) in enumerate(LAYERS):
            for kind in ("weight", "bias"):
                state[f"convolutions.{index}.{kind}"] = weights[f"features.{number}.{kind}"]
            state[f"heads.{index}"] = linear[f"lin{index}.model.1.weight"].flatten()
        network.load_state_dict(state)
    except (KeyError, RuntimeError, AttributeError) as error:
        raise ArtifactMismatch(
            f"{trunk}, {heads}: not AlexNet and the heads of LPIPS v0.1 ({' '.join(str(error).split())}); fetch both again"
        ) from error
    return network.eval()
