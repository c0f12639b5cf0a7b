"""The adaptation part as training targets: pictures, the head's soft mask, depth and normals."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import Geometry, Tracks
from emotag.config import AdaptConfig
from emotag.errors import ArtifactMismatch
from emotag.gaussians.beyond import View
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.base import HeadModel
from emotag.io.video import read_frames, read_gray, resize
from emotag.parts import spread
from emotag.render.compose import to_unit
from emotag.tracking.posing import posed_vertices
from emotag.tracking.regions import head_mask
from emotag.training.geometry_loss import LEAST_PIXELS

# As many frames as show what stands beyond the mesh from all sides of an adaptation part.
VIEWS = 20


@dataclass(frozen=True)
class Footage:
    """T frames: `image` [T, H, W, 3] 0 to 1, `head` [T, H, W] soft mask 0 to 1, `person` [T, H, W] bool, `depth`
    [T, h, w] m, `normal` [T, h, w, 3] and their `valid` mask [T, h, w] bool on a coarser grid."""

    image: Tensor
    head: Tensor
    person: Tensor
    depth: Tensor
    normal: Tensor
    valid: Tensor

    def __len__(self) -> int:
        return len(self.image)


def load(crop: Path, alpha: Path, labels: Path, geometry: Geometry, size_px: int) -> Footage:
    """Frames of `geometry.part`, resized to `size_px`; the mask is the matte's alpha inside the head's labels."""
    start, stop = geometry.part
    images = np.stack(list(read_frames(crop, start, stop, size=size_px)))
    masks, persons = [], []
    for matte, label in zip(read_gray(alpha, start, stop), read_gray(labels, start, stop), strict=True):
        masks.append(resize(np.where(head_mask(label), matte, 0).astype(np.uint8), size_px, size_px))
        persons.append(resize(matte, size_px, size_px) > 127)
    return Footage(
        image=to_unit(images),
        head=to_unit(np.stack(masks)),
        person=torch.from_numpy(np.stack(persons)),
        depth=torch.from_numpy(geometry.depth.astype(np.float32)),
        normal=torch.from_numpy(geometry.normal.astype(np.float32)) / 127,
        valid=torch.from_numpy(geometry.mask.astype(bool)),
    )


def check_geometry(footage: Footage, config: AdaptConfig) -> None:
    """Refuse depth and normals on which the geometry loss could not act, instead of training without it.

    Raises:
        ArtifactMismatch: no frame has enough valid pixels although the loss has a weight.
    """
    pixels = footage.valid.flatten(1).sum(1)
    if (config.weight_depth > 0 or config.weight_normal > 0) and not (pixels >= LEAST_PIXELS).any():
        raise ArtifactMismatch(
            f"geometry: found at most {int(pixels.max())} valid pixels in any of {len(pixels)} frames, expected "
            f"{LEAST_PIXELS}, so the loss of Eq. 14 could not act; look at the clip's labels and the geometry provider, or "
            "set adapt.weight_depth and adapt.weight_normal to 0"
        )


def views(footage: Footage, head: HeadModel, tracks: Tracks, frames: np.ndarray) -> list[View]:
    """Evenly spread frames of the footage with the tracked mesh; `frames` [T] are their numbers in `tracks`."""
    chosen = spread(len(footage), VIEWS)
    rotations = axis_angle_to_matrix(torch.from_numpy(tracks.rotation[frames]).float()).numpy()
    return [
        View(
            image=footage.image[i].numpy(),
            head=(footage.head[i] > 0.5).numpy(),
            person=footage.person[i].numpy(),
            vertices=posed_vertices(head, tracks, slice(int(frames[i]), int(frames[i]) + 1))[0].numpy(),
            rotation=rotations[i],
            translation=tracks.translation[frames[i]],
        )
        for i in chosen
    ]
