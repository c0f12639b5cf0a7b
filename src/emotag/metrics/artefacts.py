"""What goes wrong at the head's border: Gaussians that stand away from the head, and edges where it meets the picture."""

from dataclasses import dataclass

import cv2
import numpy as np

from emotag.metrics.base import REFERENCE_PX
from emotag.metrics.image import luma, squared_error

# In pixels of frames 512 px wide.
CLEAR_PX, LEAST_AREA_PX, BAND_PX, REACH_PX = 16, 20, 3, 5
DIFFERENT = 0.2
EDGE = 0.1


@dataclass(frozen=True)
class Border:
    """What the pictures of a frame are judged by: the `truth` [H, W, 3] uint8, where it is `clear` of the head, the `band`
    along the head's border and the edges that are `allowed` in it, all [H, W]. `scale`: pixels to one of 512.
    """

    truth: np.ndarray
    clear: np.ndarray
    band: np.ndarray
    allowed: np.ndarray
    scale: float

    @classmethod
    def of(cls, truth: np.ndarray, head: np.ndarray) -> "Border":
        """`truth` [H, W, 3] uint8, its `head` [H, W] bool."""
        scale = truth.shape[1] / REFERENCE_PX
        band = _grown(head, BAND_PX * scale) & _grown(~head, BAND_PX * scale)
        allowed = cv2.dilate(_edges(truth), _disc(REACH_PX * scale)) + EDGE
        return cls(truth, ~_grown(head, CLEAR_PX * scale), band, allowed, scale)

    def floaters(self, image: np.ndarray) -> int:
        """Connected patches of `image` [H, W, 3] uint8 beyond the head (grown by 16 px) whose RGB 0..1 is off by more than
        0.2 RMS, of 20 px at least. Pixels are those of frames 512 px wide.
        """
        away = (squared_error(self.truth, image) > 3 * (255 * DIFFERENT) ** 2) & self.clear
        areas = cv2.connectedComponentsWithStats(away.astype(np.uint8), connectivity=8)[2][1:, cv2.CC_STAT_AREA]
        return int((areas >= LEAST_AREA_PX * self.scale**2).sum())

    def seam_share(self, image: np.ndarray) -> float:
        """Share of the pixels within 3 px of the head's border whose edge in `image` [H, W, 3] uint8 is stronger by more
        than 0.1 than any of the truth within 5 px. Edges are the norm of the luma's Sobel gradient (0..1 for a full step),
        pixels those of 512 px. NaN where there is no border.
        """
        if not self.band.any():
            return float("nan")
        return float((_edges(image) > self.allowed)[self.band].mean())


def _edges(frame: np.ndarray) -> np.ndarray:
    grey = luma(frame)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 4) for order in ((1, 0), (0, 1)))
    return np.hypot(across, down)


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), _disc(radius)).astype(bool)


def _disc(radius: float) -> np.ndarray:
    size = 2 * max(round(radius), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
