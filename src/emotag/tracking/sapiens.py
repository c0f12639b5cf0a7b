"""Depth and normals of whole pictures by Sapiens, from its TorchScript files (Khirodkar et al. 2024).

As the demos that EmoTaG runs (sapiens/lite, vis_depth.py and vis_normal.py): RGB brought to 768 x 1024 whatever its shape, less
(123.5, 116.5, 103.5), over (58.5, 57, 57.5); the answers [1, h, w] and [3, h, w] brought to the picture's size, bilinear, and
normals to unit length. Depth is relative: larger is farther, scale and shift are unknown, which the loss allows for. Which way
the normals' axes point is not stated, so each axis takes the sign that agrees with the tracked mesh. It runs on a CUDA device
where there is one.
"""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from emotag.errors import ArtifactMismatch, AssetMissing

WIDTH_PX, HEIGHT_PX = 768, 1024
MEAN_RGB = (123.5, 116.5, 103.5)
DEVIATION_RGB = (58.5, 57.0, 57.5)

Network = Callable[[Tensor], Tensor]


def load(path: Path) -> Network:
    """A TorchScript network.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is none.
    """
    if not Path(path).is_file():
        raise AssetMissing(f"{path} does not exist; put it into data/by_hand (snakemake assets says where to get it)")
    try:
        return torch.jit.load(str(path), map_location="cuda" if torch.cuda.is_available() else "cpu").eval()
    except RuntimeError as error:
        first = str(error).strip().splitlines()[0]
        raise ArtifactMismatch(f"{path}: is no TorchScript file ({first}); get the _torchscript one again") from error


@torch.no_grad()
def predict(network: Network, frame: np.ndarray, channels: int, size_px: int, path: Path) -> np.ndarray:
    """[size, size, channels] float32 of an RGB `frame` [H, W, 3] uint8.

    Raises:
        ArtifactMismatch: the network of `path` answers with another number of channels.
    """
    resized = cv2.resize(frame, (WIDTH_PX, HEIGHT_PX), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    normalised = torch.from_numpy((resized - np.float32(MEAN_RGB)) / np.float32(DEVIATION_RGB)).permute(2, 0, 1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    answer = network(normalised[None].to(device)).float().cpu()
    if answer.ndim != 4 or answer.shape[1] != channels:
        raise ArtifactMismatch(
            f"{path}: answers with {list(answer.shape)}, expected [1, {channels}, h, w]; depth and normal files swapped?"
        )
    whole = F.interpolate(answer, size=frame.shape[:2], mode="bilinear")
    # Antialiased on the way down to the artifact's size.
    return F.adaptive_avg_pool2d(whole, size_px)[0].permute(1, 2, 0).numpy()


def unit(normal: np.ndarray) -> np.ndarray:
    """[..., 3] brought to length 1."""
    return normal / (np.linalg.norm(normal, axis=-1, keepdims=True) + 1e-5)


def axis_signs(normal: np.ndarray, mesh: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """[3] of +1 and -1: the sign of each axis with which `normal` [T, H, W, 3] agrees with the `mesh`'s inside `mask`."""
    agreement = (normal[mask].astype(np.float64) * mesh[mask]).sum(0)
    return np.where(agreement < 0, -1.0, 1.0)
