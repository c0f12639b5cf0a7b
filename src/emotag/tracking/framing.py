"""The square crop of a clip: one constant box around the main face, cut out and brought to size."""

from dataclasses import dataclass

import cv2
import numpy as np

from emotag.io.video import resize

# What has to stay in the crop around the face box, in face heights: hair above, neck below, ears beside.
_KEEP_ABOVE, _KEEP_BELOW, _KEEP_BESIDE = 0.55, 0.45, 0.3
# A frame that is itself a tight crop is taken as it is, down to this edge in face heights.
_TIGHTEST = 1.6


@dataclass(frozen=True)
class CropBox:
    """A square in source px; it may reach beyond the frame, where the frame's border is repeated."""

    left: int
    top: int
    edge: int

    def as_list(self) -> list[int]:
        """[left, top, right, bottom]."""
        return [self.left, self.top, self.left + self.edge, self.top + self.edge]


def crop_box(boxes: np.ndarray, width: int, height: int, face_share: float) -> CropBox:
    """The box for face boxes [n, 4] px of a clip whose frames are `width` x `height` px.

    The edge is the median face height over `face_share`; larger where the face moves (2nd to 98th percentile), so that
    head and neck stay inside; smaller, down to 1.6 face heights, where the frame is too small for it, since padding
    shows nothing. It is centred on the face's middle and then pushed into the frame as far as it fits.
    """
    face = float(np.median(boxes[:, 3] - boxes[:, 1]))
    left, top = np.percentile(boxes[:, :2], 2, axis=0)
    right, bottom = np.percentile(boxes[:, 2:], 98, axis=0)
    span = max(right - left + 2 * _KEEP_BESIDE * face, bottom - top + (_KEEP_ABOVE + _KEEP_BELOW) * face)
    edge = min(max(face / face_share, span), max(min(width, height), _TIGHTEST * face))
    centre = np.array([(left + right) / 2, (top + bottom) / 2 + (_KEEP_BELOW - _KEEP_ABOVE) * face / 2])
    edge = round(edge)
    return CropBox(_inside(centre[0], edge, width), _inside(centre[1], edge, height), edge)


def cut(picture: np.ndarray, box: CropBox, size_px: int) -> np.ndarray:
    """The box's part of [H, W, 3] uint8, brought to `size_px` squared."""
    height, width = picture.shape[:2]
    left, top, right, bottom = box.as_list()
    inside = picture[max(0, top) : min(height, bottom), max(0, left) : min(width, right)]
    padding = (max(0, -top), max(0, bottom - height), max(0, -left), max(0, right - width))
    if any(padding):
        inside = cv2.copyMakeBorder(inside, *padding, cv2.BORDER_REPLICATE)
    return resize(inside, size_px, size_px)


def cut_labels(labels: np.ndarray, box: CropBox, size_px: int) -> np.ndarray:
    """The box's part of labels [H, W] uint8 at `size_px` squared, each pixel the nearest one; 0 outside the frame."""
    place = np.floor((np.arange(size_px) + 0.5) * box.edge / size_px).astype(int)
    rows, columns = box.top + place, box.left + place
    height, width = labels.shape
    inside = ((rows >= 0) & (rows < height))[:, None] & ((columns >= 0) & (columns < width))[None]
    return np.where(inside, labels[rows.clip(0, height - 1)][:, columns.clip(0, width - 1)], np.uint8(0))


def outside(boxes: np.ndarray, box: CropBox) -> np.ndarray:
    """[n] bool: the face box [n, 4] px is not wholly inside the crop."""
    left, top, right, bottom = box.as_list()
    return (boxes[:, 0] < left) | (boxes[:, 1] < top) | (boxes[:, 2] > right) | (boxes[:, 3] > bottom)


def _inside(centre: float, edge: int, size: int) -> int:
    start = round(centre - edge / 2)
    return min(max(start, 0), size - edge) if edge <= size else (size - edge) // 2
