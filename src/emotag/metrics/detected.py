"""Landmarks detected on decoded video, each frame on its own: the same detector for the truth and for every variant."""

from collections.abc import Iterable
from dataclasses import dataclass

import mediapipe
import numpy as np

from emotag.head.landmark_sets import LEFT_EYE_CORNERS, LEFT_LID_PAIRS, RIGHT_EYE_CORNERS, RIGHT_LID_PAIRS
from emotag.types import LANDMARKS


@dataclass(frozen=True)
class Detected:
    """`points` [T, 478, 3] px (z in px) of frames `width` px wide; `found` [T] bool. Frames without a face hold the mean of
    the found ones, that is, a frozen mouth, so that they count against the video that lost the face.

    Where no face was found in any frame all points are zero.
    """

    points: np.ndarray
    found: np.ndarray
    width: int

    def at_width(self, width: float) -> np.ndarray:
        """Points [T, 478, 3] in px of the same frames brought to `width` px."""
        return self.points * np.float32(width / self.width)


def detect(frames: Iterable[np.ndarray]) -> Detected:
    """Run MediaPipe's face mesh in static mode on frames [H, W, 3] uint8."""
    points, found, width = [], [], 0
    settings = {"static_image_mode": True, "refine_landmarks": True, "max_num_faces": 1}
    with mediapipe.solutions.face_mesh.FaceMesh(**settings) as mesh:
        for frame in frames:
            faces = mesh.process(np.ascontiguousarray(frame)).multi_face_landmarks
            height, width = frame.shape[:2]
            found.append(bool(faces))
            scale = np.array([width, height, width], np.float32)
            points.append(
                np.array([(p.x, p.y, p.z) for p in faces[0].landmark], np.float32) * scale
                if faces
                else np.zeros((LANDMARKS, 3), np.float32)
            )
    stacked, mask = np.stack(points), np.array(found)
    if mask.any():
        stacked[~mask] = stacked[mask].mean(0)
    return Detected(stacked, mask, width)


def eye_opening(points: np.ndarray) -> np.ndarray:
    """Mean lid distance over the eye's width, both eyes, of [T, 478, 3] points: [T]."""
    openings = []
    for pairs, corners in ((RIGHT_LID_PAIRS, RIGHT_EYE_CORNERS), (LEFT_LID_PAIRS, LEFT_EYE_CORNERS)):
        upper, lower = np.array(pairs).T
        gap = np.linalg.norm(points[:, upper, :2] - points[:, lower, :2], axis=-1).mean(1)
        openings.append(gap / np.linalg.norm(points[:, corners[0], :2] - points[:, corners[1], :2], axis=-1))
    return np.mean(openings, 0)
