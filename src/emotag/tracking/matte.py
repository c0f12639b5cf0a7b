"""Person alpha by MediaPipe's selfie segmentation, sharpened along the picture's own edges and steadied over time."""

from collections.abc import Iterable, Iterator

import cv2
import mediapipe
import numpy as np

LOW, HIGH = 0.25, 0.75  # the network's soft border, stretched to 0 and 1
EDGE_RADIUS, EDGE_EPSILON = 6, 1e-3
MEMORY = 0.35


def person_alpha(frames: Iterable[np.ndarray]) -> Iterator[np.ndarray]:
    """Alpha [H, W] uint8 of each frame [H, W, 3] uint8."""
    before = None
    with mediapipe.solutions.selfie_segmentation.SelfieSegmentation(model_selection=0) as network:
        for frame in frames:
            raw = network.process(np.ascontiguousarray(frame)).segmentation_mask.astype(np.float32)
            before = raw if before is None else (1 - MEMORY) * raw + MEMORY * before
            alpha = np.clip((guided(before, frame) - LOW) / (HIGH - LOW), 0, 1)
            yield np.rint(alpha * 255).astype(np.uint8)


def guided(mask: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """Guided filter (He et al. 2010): a smooth `mask` [H, W] that follows the edges of `frame`'s luma."""
    guide = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    size = (2 * EDGE_RADIUS + 1,) * 2

    def mean(image: np.ndarray) -> np.ndarray:
        return cv2.blur(image, size)

    guide_mean, mask_mean = mean(guide), mean(mask)
    slope = (mean(guide * mask) - guide_mean * mask_mean) / (mean(guide * guide) - guide_mean**2 + EDGE_EPSILON)
    offset = mask_mean - slope * guide_mean
    return mean(slope) * guide + mean(offset)
