"""AdaFace's identity feature: an IR-101 network on aligned 112 x 112 faces.

Kim, Jain and Liu 2022, "AdaFace: Quality Adaptive Margin for Face Recognition"; github.com/mk-minchul/AdaFace (MIT), checkpoint
adaface_ir101_webface12m.ckpt: `state_dict` with the network's tensors under `model.`. The network (net.py, build_model
"ir_101"): convolution 3x3 64, then 3, 13, 30 and 3 residual blocks of 64, 128, 256 and 512 channels, each group halving the
size with its first block, then batch norm, one linear layer to 512 and a batch norm without weights. A block is batch norm,
3x3, batch norm, PReLU, 3x3 (strided), batch norm, beside a strided 1x1 with batch norm or, at equal width, every second pixel.
Input (inference.py, to_input): BGR, (x/255 - 0.5)/0.5. Output: the feature divided by its norm.

EmoTaG's identity is the mean of that over the 50 most neutral frames, not normalised again. Its released tool shrinks whole
frames and gives them as RGB; here faces are aligned and BGR, as AdaFace itself takes them.
About 0.3 s a face on one core, 250 MB.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from emotag.errors import ArtifactMismatch
from emotag.identity.alignment import SIZE_PX, aligned_face
from emotag.io.pickles import read_checkpoint

WIDTH = 512
GROUPS = ((64, 64, 3), (64, 128, 13), (128, 256, 30), (256, 512, 3))
PREFIX = "model."


class Block(nn.Module):
    """Two convolutions beside a shortcut; names as in the checkpoint."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = nn.MaxPool2d(1, stride)
        if inputs != outputs:
            self.shortcut_layer = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(inputs),
            nn.Conv2d(inputs, outputs, 3, 1, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.PReLU(outputs),
            nn.Conv2d(outputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B, inputs, H, W] to [B, outputs, H / stride, W / stride]."""
        return self.res_layer(x) + self.shortcut_layer(x)


class IR101(nn.Module):
    """[B, 3, 112, 112] BGR in -1 to 1 to unit vectors [B, 512]."""

    def __init__(self) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64))
        self.body = nn.Sequential(
            *(
                Block(inputs if index == 0 else outputs, outputs, 2 if index == 0 else 1)
                for inputs, outputs, count in GROUPS
                for index in range(count)
            )
        )
        size = SIZE_PX // 2 ** len(GROUPS)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(WIDTH),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(WIDTH * size * size, WIDTH),
            nn.BatchNorm1d(WIDTH, affine=False),
        )

    def forward(self, x: Tensor) -> Tensor:
        """The feature, divided by its norm."""
        feature = self.output_layer(self.body(self.input_layer(x)))
        return feature / feature.norm(dim=1, keepdim=True)


def network_input(face: np.ndarray) -> Tensor:
    """[3, 112, 112] BGR in -1 to 1 from an RGB face [112, 112, 3] uint8."""
    return torch.from_numpy(face[..., ::-1].astype(np.float32) / 127.5 - 1).permute(2, 0, 1)


@torch.no_grad()
def embedding(network: nn.Module, frames: Iterable[np.ndarray], points: np.ndarray) -> np.ndarray:
    """[512] float32: the mean of the unit features of [H, W, 3] uint8 RGB `frames` with mesh `points` [T, 478, 3] px."""
    features = [
        network(network_input(aligned_face(frame, mesh))[None])[0] for frame, mesh in zip(frames, points, strict=True)
    ]
    return torch.stack(features).mean(0).numpy()


def load(path: Path) -> IR101:
    """The network with the weights of adaface_ir101_webface12m.ckpt; nothing else in the checkpoint is looked at.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is not this network.
    """
    state = read_checkpoint(path).get("state_dict")
    if not isinstance(state, dict):
        raise ArtifactMismatch(f"{path}: has no state_dict; get adaface_ir101_webface12m.ckpt again")
    network = IR101()
    try:
        network.load_state_dict({key.removeprefix(PREFIX): state[key] for key in state if key.startswith(PREFIX)})
    except (RuntimeError, TypeError) as error:
        raise ArtifactMismatch(
            f"{path}: not AdaFace's IR-101 ({' '.join(str(error).split())[:300]}); get adaface_ir101_webface12m.ckpt again"
        ) from error
    return network.eval()
