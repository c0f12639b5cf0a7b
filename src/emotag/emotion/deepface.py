"""DeepFace's emotion network, read from its own weights file without TensorFlow.

Serengil and Ozpinar, `deepface` (MIT), models/demography/Emotion.py: on 48 x 48 grey faces, 0 to 1: convolution 5x5 64,
max pooling 5/2, two convolutions 3x3 64, average pooling 3/2, two convolutions 3x3 128, average pooling 3/2, dense 1024,
1024, 7; ReLU between, padding "valid", softmax. Classes in the order of `EMOTIONS`, which is where that order comes from.
The file is what Keras' `save_weights` writes: attribute `layer_names`, a group a layer with attribute `weight_names`, and
kernels as [height, width, in, out] or [in, out].

DeepFace turns the face until the eyes are level, shrinks the detector's box into 224 x 224 with black beside it
(modules/preprocessing.py, resize_image), makes it grey and shrinks it to 48 x 48 without smoothing; so does this, with the
box of the face mesh's oval. About 3 ms a face on one core, 6 MB.
"""

from collections.abc import Iterable
from pathlib import Path

import cv2
import h5py
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head.landmark_sets import FACE_OVAL
from emotag.types import EMOTIONS

SIZE_PX = 48
CANVAS_PX = 224
BATCH = 32
# Outer corners of the eyes in the face mesh, left in the picture first.
EYES = (33, 263)
WEIGHTED_LAYERS = ("convolutions.0", "convolutions.1", "convolutions.2", "convolutions.3", "convolutions.4",
                   "dense.0", "dense.1", "dense.2")  # fmt: skip


class DeepFaceEmotion(nn.Module):
    """[B, 1, 48, 48] in 0 to 1 to logits [B, 7]."""

    def __init__(self) -> None:
        super().__init__()
        widths = ((1, 64, 5), (64, 64, 3), (64, 64, 3), (64, 128, 3), (128, 128, 3))
        self.convolutions = nn.ModuleList(nn.Conv2d(inputs, outputs, size) for inputs, outputs, size in widths)
        self.dense = nn.ModuleList([nn.Linear(128, 1024), nn.Linear(1024, 1024), nn.Linear(1024, len(EMOTIONS))])

    def forward(self, x: Tensor) -> Tensor:
        """Logits [B, 7] in `EMOTIONS` order."""
        first, *rest = self.convolutions
        x = F.max_pool2d(F.relu(first(x)), 5, 2)
        for convolution in rest[:2]:
            x = F.relu(convolution(x))
        x = F.avg_pool2d(x, 3, 2)
        for convolution in rest[2:]:
            x = F.relu(convolution(x))
        # One pixel is left, so the order in which Keras flattens does not matter.
        x = F.avg_pool2d(x, 3, 2).flatten(1)
        for dense in self.dense[:-1]:
            x = F.relu(dense(x))
        return self.dense[-1](x)


def level_canvas(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[224, 224, 3] uint8 of `frame` [H, W, 3] with mesh `points` [478, 3] px: the face with level eyes, black beside."""
    left, right = points[list(EYES), :2]
    angle = np.arctan2(right[1] - left[1], right[0] - left[0])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    oval = points[list(FACE_OVAL), :2] @ turn.T
    low, high = oval.min(0), oval.max(0)
    scale = CANVAS_PX / max(float((high - low).max()), 2.0)
    offset = CANVAS_PX / 2 - scale * (low + high) / 2
    matrix = np.column_stack([scale * turn, offset])
    canvas = cv2.warpAffine(frame, matrix, (CANVAS_PX, CANVAS_PX), flags=cv2.INTER_LINEAR)
    (x0, y0), (x1, y1) = (np.round(scale * corner + offset).astype(int).clip(0, CANVAS_PX) for corner in (low, high))
    padded = np.zeros_like(canvas)
    padded[y0:y1, x0:x1] = canvas[y0:y1, x0:x1]
    return padded


def level_face(frame: np.ndarray, points: np.ndarray) -> np.ndarray:
    """[48, 48] float32 of `level_canvas`, grey, 0 to 1."""
    grey = cv2.cvtColor(level_canvas(frame, points).astype(np.float32) / 255, cv2.COLOR_RGB2GRAY)
    return cv2.resize(grey, (SIZE_PX, SIZE_PX))


@torch.no_grad()
def probabilities(network: DeepFaceEmotion, frames: Iterable[np.ndarray], points: np.ndarray) -> np.ndarray:
    """[T, 7] of [H, W, 3] uint8 `frames` with mesh `points` [T, 478, 3] px."""
    results, batch = [np.zeros((0, len(EMOTIONS)), np.float32)], []
    for index, (frame, mesh) in enumerate(zip(frames, points, strict=True)):
        batch.append(level_face(frame, mesh))
        if len(batch) == BATCH or index == len(points) - 1:
            results.append(network(torch.from_numpy(np.stack(batch))[:, None]).softmax(1).numpy())
            batch = []
    return np.concatenate(results)


def load(path: Path) -> DeepFaceEmotion:
    """The network with the weights of facial_expression_model_weights.h5.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is not this network.
    """
    if not Path(path).is_file():
        raise AssetMissing(
            f"{path} does not exist; put facial_expression_model_weights.h5 of deepface into data/by_hand"
        )
    network = DeepFaceEmotion()
    try:
        with h5py.File(path) as file:
            network.load_state_dict(_state(file.get("model_weights", file)))
    except (OSError, KeyError, ValueError, RuntimeError) as error:
        raise ArtifactMismatch(
            f"{path}: not DeepFace's emotion network ({' '.join(str(error).split())}); get the file again"
        ) from error
    return network.eval()


def _state(weights: h5py.Group) -> dict[str, Tensor]:
    """State of `DeepFaceEmotion` from Keras' groups, in the order of the layers as Keras itself loads them."""
    layers = [weights[_text(name)] for name in weights.attrs["layer_names"]]
    arrays = [[layer[_text(name)][()] for name in layer.attrs["weight_names"]] for layer in layers]
    weighted = [pair for pair in arrays if pair]
    if [len(pair) for pair in weighted] != [2] * len(WEIGHTED_LAYERS):
        raise ValueError(
            f"found {len(weighted)} layers with weights, expected {len(WEIGHTED_LAYERS)} of two arrays each"
        )
    state: dict[str, Tensor] = {}
    for ours, (kernel, bias) in zip(WEIGHTED_LAYERS, weighted, strict=True):
        order = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
        state[f"{ours}.weight"] = torch.from_numpy(kernel.astype(np.float32).transpose(order).copy())
        state[f"{ours}.bias"] = torch.from_numpy(bias.astype(np.float32))
    return state


def _text(name: bytes | str) -> str:
    return name.decode() if isinstance(name, bytes) else name
