"""Faces brought to the five points that face recognition networks were trained on.

The reference points are those of ArcFace and AdaFace at 112 x 112 (InsightFace's `arcface_dst`: the 96 x 112 points of
SphereFace, moved by 8 px); the similarity is the least-squares one of Umeyama 1991, eqs. 40 to 42.
"""

import cv2
import numpy as np

from emotag.head.landmark_sets import LEFT_EYE_CORNERS, RIGHT_EYE_CORNERS

SIZE_PX = 112
# Eyes, nose tip, corners of the mouth; left in the picture first. Pixel centres have whole coordinates here.
REFERENCE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
NOSE_TIP = 1
MOUTH_CORNERS = (61, 291)


def five_points(mesh: np.ndarray) -> np.ndarray:
    """[5, 2] px of the face mesh [478, 3]: eyes (between their corners, so that gaze does not move them), nose, mouth."""
    eyes = [mesh[list(corners), :2].mean(0) for corners in (RIGHT_EYE_CORNERS, LEFT_EYE_CORNERS)]
    return np.array([*eyes, mesh[NOSE_TIP, :2], *(mesh[corner, :2] for corner in MOUTH_CORNERS)])


def similarity(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[2, 3] rotation, uniform scale and translation that takes points `source` [P, 2] to `target` with least squares."""
    source_mean, target_mean = source.mean(0), target.mean(0)
    centred, wanted = source - source_mean, target - target_mean
    left, strength, right = np.linalg.svd(wanted.T @ centred / len(source))
    # No mirroring.
    sign = np.array([1.0, np.sign(np.linalg.det(left @ right))])
    rotation = left @ np.diag(sign) @ right
    matrix = (strength @ sign) / centred.var(0).sum() * rotation
    return np.column_stack([matrix, target_mean - matrix @ source_mean])


def aligned_face(frame: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """[112, 112, 3] uint8 of `frame` [H, W, 3] with mesh [478, 3] px, black beyond its edge."""
    # The mesh's pixels begin at their corners, OpenCV's at their centres.
    matrix = similarity(five_points(mesh) - 0.5, REFERENCE)
    return cv2.warpAffine(frame, matrix, (SIZE_PX, SIZE_PX), flags=cv2.INTER_LINEAR)
