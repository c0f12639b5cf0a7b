"""Square, tight crops of the face from its landmarks, as classifiers of expression were trained on."""

import cv2
import numpy as np

from emotag.head.landmark_sets import FACE_OVAL


def face_crop(frame: np.ndarray, points: np.ndarray, size_px: int) -> np.ndarray:
    """[size, size, 3] uint8 of `frame` [H, W, 3] around `points` [478, 3] px; beyond the frame its edge is repeated.

    The square has the longer side of the face oval's box and its centre. A margin of 20 % would turn surprise into fear
    (measured with the mini-Xception), hence none.
    """
    oval = points[list(FACE_OVAL), :2]
    low, high = oval.min(0), oval.max(0)
    side = max(float((high - low).max()), 2.0)
    corner = (low + high - side) / 2
    scale = size_px / side
    matrix = np.array([[scale, 0, -corner[0] * scale], [0, scale, -corner[1] * scale]])
    # Shrinking with plain interpolation aliases; the frame is blurred to the scale of the crop first.
    if scale < 0.5:
        frame = cv2.blur(frame, (round(1 / scale),) * 2)
    return cv2.warpAffine(frame, matrix, (size_px, size_px), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
