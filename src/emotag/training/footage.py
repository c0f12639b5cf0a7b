"""The adaptation part as training targets: pictures, the head's soft mask, depth and normals."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import Geometry, Tracks
from emotag.config import PictureConfig
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
from emotag.training.stored import Keeper, Stored

# As many frames as show what stands beyond the mesh from all sides of an adaptation part.
VIEWS = 20


@dataclass(frozen=True)
class Footage:
    """T frames: `image` [T, H, W, 3] 0 to 1, `head` [T, H, W] soft mask 0 to 1, `person` [T, H, W] bool, `depth`
    [T, h, w] m, `normal` [T, h, w, 3] and their `valid` mask [T, h, w] bool on a coarser grid."""

    image: Tensor | Stored
    head: Tensor | Stored
    person: Tensor | Stored
    depth: Tensor | Stored
    normal: Tensor | Stored
    valid: Tensor

    def __len__(self) -> int:
        return len(self.image)


def load(crop: Path, alpha: Path, labels: Path, geometry: Geometry, size_px: int) -> Footage:
    """Frames of `geometry.part`, resized to `size_px`; the mask is the matte's alpha inside the head's labels."""
    start, stop = geometry.part
    images = np.stack(list(read_frames(crop, start, stop, size=size_px)))
    masks, persons = (np.stack(column) for column in zip(*mattes(alpha, labels, start, stop, size_px), strict=True))
    return Footage(
        image=to_unit(images),
        head=to_unit(masks),
        person=torch.from_numpy(persons),
        depth=torch.from_numpy(geometry.depth.astype(np.float32)),
        normal=torch.from_numpy(geometry.normal.astype(np.float32)) / 127,
        valid=torch.from_numpy(geometry.mask.astype(bool)),
    )


def load_stored(crop: Path, alpha: Path, labels: Path, geometry: Geometry, size_px: int, keep: Keeper) -> Footage:
    """The same, a frame at a time, kept in files."""
    (start, stop), count = geometry.part, len(geometry.mask)
    seen = Footage(
        image=keep((count, size_px, size_px, 3), np.uint8, 1 / 255),
        head=keep((count, size_px, size_px), np.uint8, 1 / 255),
        person=keep((count, size_px, size_px), bool, 1.0),
        depth=keep(geometry.depth.shape, np.float16, 1.0),
        normal=keep(geometry.normal.shape, np.int8, 1 / 127),
        valid=torch.from_numpy(geometry.mask.astype(bool)),
    )
    for image, frame in zip(seen.image.array, read_frames(crop, start, stop, size=size_px), strict=True):
        image[:] = frame
    masked = zip(seen.head.array, seen.person.array, mattes(alpha, labels, start, stop, size_px), strict=True)
    for head, person, (mask, shown) in masked:
        head[:], person[:] = mask, shown
    seen.depth.array[:], seen.normal.array[:] = geometry.depth, geometry.normal
    return seen


def mattes(alpha: Path, labels: Path, start: int, stop: int, size_px: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each frame the head's soft mask [H, W] uint8 and where the person is [H, W] bool."""
    for matte, label in zip(read_gray(alpha, start, stop), read_gray(labels, start, stop), strict=True):
        mask = resize(np.where(head_mask(label), matte, 0).astype(np.uint8), size_px, size_px)
        yield mask, resize(matte, size_px, size_px) > 127


def check_geometry(footage: Footage, config: PictureConfig) -> None:
    """Refuse depth and normals on which the geometry loss could not act, instead of training without it.

    Raises:
        ArtifactMismatch: no frame has enough valid pixels although the loss has a weight.
    """
    pixels = footage.valid.flatten(1).sum(1)
    if (config.weight_depth > 0 or config.weight_normal > 0) and not (pixels >= LEAST_PIXELS).any():
        raise ArtifactMismatch(
            f"geometry: found at most {int(pixels.max())} valid pixels in any of {len(pixels)} frames, expected "
            f"{LEAST_PIXELS}, so the loss of Eq. 14 could not act; look at the clip's labels and the geometry provider, or "
            "set weight_depth and weight_normal to 0"
        )


def views(footage: Footage, head: HeadModel, tracks: Tracks, frames: np.ndarray) -> list[View]:
    """Evenly spread frames of the footage with the tracked mesh; `frames` [T] are their numbers in `tracks`."""
    chosen = spread(len(footage), VIEWS)
    rotations = axis_angle_to_matrix(torch.from_numpy(tracks.rotation[frames]).float()).numpy()
    return [
        View(
            image=footage.image[i].numpy(),
            head=(footage.head[i] > 0.5).numpy(),
            person=footage.person[i].numpy() > 0,
            vertices=posed_vertices(head, tracks, slice(int(frames[i]), int(frames[i]) + 1))[0].numpy(),
            rotation=rotations[i],
            translation=tracks.translation[frames[i]],
        )
        for i in chosen
    ]
