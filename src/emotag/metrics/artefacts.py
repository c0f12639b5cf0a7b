"""What goes wrong at the head's border: Gaussians that stand away from the head, and edges where it meets the picture."""

import cv2
import numpy as np

from emotag.metrics.base import REFERENCE_PX
from emotag.metrics.image import luma, squared_error

# In pixels of frames 512 px wide.
CLEAR_PX, LEAST_AREA_PX, BAND_PX, REACH_PX = 16, 20, 3, 5
DIFFERENT = 0.2
EDGE = 0.1


def floaters(truth: np.ndarray, image: np.ndarray, head: np.ndarray) -> int:
    """Connected patches beyond `head` [H, W] (grown by 16 px) whose RGB 0..1 is off by more than 0.2 RMS, of 20 px at least.

    Pixels are those of frames 512 px wide. [H, W, 3] uint8 twice.
    """
    scale = truth.shape[1] / REFERENCE_PX
    off = squared_error(truth, image) > 3 * (255 * DIFFERENT) ** 2
    away = off & ~_grown(head, CLEAR_PX * scale)
    areas = cv2.connectedComponentsWithStats(away.astype(np.uint8), connectivity=8)[2][1:, cv2.CC_STAT_AREA]
    return int((areas >= LEAST_AREA_PX * scale**2).sum())


def seam_share(truth: np.ndarray, image: np.ndarray, head: np.ndarray) -> float:
    """Share of the pixels within 3 px of the border of `head` whose edge is stronger by more than 0.1 than any of the truth
    within 5 px. Edges are the norm of the luma's Sobel gradient (0..1 for a full step), pixels those of 512 px. NaN where
    there is no border.
    """
    scale = truth.shape[1] / REFERENCE_PX
    band = _grown(head, BAND_PX * scale) & _grown(~head, BAND_PX * scale)
    if not band.any():
        return float("nan")
    allowed = cv2.dilate(_edges(truth), _disc(REACH_PX * scale))
    return float((_edges(image) > allowed + EDGE)[band].mean())


def _edges(frame: np.ndarray) -> np.ndarray:
    grey = luma(frame)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *order, scale=1 / 4) for order in ((1, 0), (0, 1)))
    return np.hypot(across, down)


def _grown(mask: np.ndarray, radius: float) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), _disc(radius)).astype(bool)


def _disc(radius: float) -> np.ndarray:
    size = 2 * max(round(radius), 1) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
