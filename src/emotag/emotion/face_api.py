"""The emotion scorer, independent of the teacher: face-api's expression network on 112 x 112 colour faces.

Four densely connected blocks of separable convolutions, average pooling and one linear layer. The weights are a
TensorFlow.js bundle, quantised to 8 bits (@vladmandic/face-api, MIT); its own class order is mapped to `EMOTIONS`.
"""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from emotag.emotion.face_crop import face_crop
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.types import EMOTIONS

SIZE_PX = 112
MEAN_RGB = (122.782, 117.001, 104.298)
# Their order: neutral, happy, sad, angry, fearful, disgusted, surprised.
ORDER = tuple(("neutral", "happy", "sad", "angry", "fear", "disgust", "surprise").index(name) for name in EMOTIONS)
BLOCKS = 4
BATCH = 32

Weights = dict[str, Tensor]


def logits(weights: Weights, faces: Tensor) -> Tensor:
    """[B, 7] in `EMOTIONS` order from `faces` [B, 3, 112, 112], 0 to 255."""
    x = (faces - torch.tensor(MEAN_RGB)[:, None, None]) / 255
    for block in range(BLOCKS):
        x = _dense_block(weights, f"dense{block}", x)
    pooled = F.avg_pool2d(x, 7, 2).flatten(1)
    return (pooled @ weights["fc/weights"] + weights["fc/bias"])[:, list(ORDER)]


def _dense_block(weights: Weights, name: str, x: Tensor) -> Tensor:
    """Four convolutions, each but the first fed with the sum of the ones before; the first halves the size."""
    outputs = [F.relu(_convolution(weights, f"{name}/conv0", x, stride=2))]
    for index in range(1, 4):
        inputs = outputs[0] if index == 1 else F.relu(sum(outputs))
        outputs.append(_convolution(weights, f"{name}/conv{index}", inputs, stride=1))
    return F.relu(sum(outputs))


def _convolution(weights: Weights, name: str, x: Tensor, stride: int) -> Tensor:
    """A 3 x 3 convolution, whole or separable, padded as TensorFlow does (with stride 2 only right and below)."""
    x = F.pad(x, (0, 1, 0, 1) if stride == 2 else (1, 1, 1, 1))
    bias = weights[f"{name}/bias"]
    if f"{name}/filters" in weights:
        return F.conv2d(x, weights[f"{name}/filters"].permute(3, 2, 0, 1), bias, stride)
    depthwise = weights[f"{name}/depthwise_filter"].permute(2, 3, 0, 1)
    x = F.conv2d(x, depthwise, stride=stride, groups=len(depthwise))
    return F.conv2d(x, weights[f"{name}/pointwise_filter"].permute(3, 2, 0, 1), bias)


@torch.no_grad()
def probabilities(weights: Weights, frames: Iterable[np.ndarray], points: np.ndarray) -> np.ndarray:
    """[T, 7] of [H, W, 3] uint8 `frames` with mesh `points` [T, 478, 3] px."""
    results, batch = [np.zeros((0, len(EMOTIONS)), np.float32)], []
    for index, (frame, mesh) in enumerate(zip(frames, points, strict=True)):
        batch.append(face_crop(frame, mesh, SIZE_PX))
        if len(batch) == BATCH or index == len(points) - 1:
            faces = torch.from_numpy(np.stack(batch)).permute(0, 3, 1, 2).float()
            results.append(logits(weights, faces).softmax(1).numpy())
            batch = []
    return np.concatenate(results)


def load(data: Path, manifest: Path) -> Weights:
    """The weights from the bundle's `data` file and the `manifest` that lays it out.

    Raises:
        AssetMissing, ArtifactMismatch: a file is not there, or the two do not fit each other.
    """
    for path in (data, manifest):
        if not Path(path).is_file():
            raise AssetMissing(f"{path} does not exist; fetch this optional asset, or put the file there by hand")
    raw = Path(data).read_bytes()
    weights: Weights = {}
    position = 0
    for entry in (entry for group in json.loads(Path(manifest).read_text()) for entry in group["weights"]):
        coding = entry.get("quantization")
        kind = np.dtype(np.uint8 if coding else np.float32)
        count = int(np.prod(entry["shape"]))
        if position + count * kind.itemsize > len(raw):
            raise ArtifactMismatch(f"{data}: {len(raw)} bytes are fewer than {manifest} lays out; fetch both again")
        array = np.frombuffer(raw, kind, count, position).astype(np.float32).reshape(entry["shape"])
        weights[entry["name"]] = torch.from_numpy(array * coding["scale"] + coding["min"] if coding else array)
        position += count * kind.itemsize
    if position != len(raw):
        raise ArtifactMismatch(f"{data}: {len(raw)} bytes, but {manifest} lays out {position}; fetch both again")
    return weights
