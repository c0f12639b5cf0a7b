"""The adaptation part as training targets: pictures, the head's soft mask, depth and normals."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import Geometry
from emotag.io.video import read_frames, read_gray, resize
from emotag.render.compose import to_unit
from emotag.tracking.regions import head_mask


@dataclass(frozen=True)
class Footage:
    """T frames: `image` [T, H, W, 3] 0 to 1, `head` [T, H, W] soft mask 0 to 1, `depth` [T, h, w] m, `normal`
    [T, h, w, 3] and their `valid` mask [T, h, w] bool on a coarser grid."""

    image: Tensor
    head: Tensor
    depth: Tensor
    normal: Tensor
    valid: Tensor

    def __len__(self) -> int:
        return len(self.image)


def load(crop: Path, alpha: Path, labels: Path, geometry: Geometry, size_px: int) -> Footage:
    """Frames of `geometry.part`, resized to `size_px`; the mask is the matte's alpha inside the head's labels."""
    start, stop = geometry.part
    images = np.stack(list(read_frames(crop, start, stop, size=size_px)))
    masks = [
        resize(np.where(head_mask(label), matte, 0).astype(np.uint8), size_px, size_px)
        for matte, label in zip(read_gray(alpha, start, stop), read_gray(labels, start, stop), strict=True)
    ]
    return Footage(
        image=to_unit(images),
        head=to_unit(np.stack(masks)),
        depth=torch.from_numpy(geometry.depth.astype(np.float32)),
        normal=torch.from_numpy(geometry.normal.astype(np.float32)) / 127,
        valid=torch.from_numpy(geometry.mask.astype(bool)),
    )
