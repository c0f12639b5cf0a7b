"""MediaPipe's face mesh over a clip: 478 points a frame, followed through time, gaps interpolated and flagged."""

import os
from collections.abc import Iterable

import numpy as np

from emotag.types import LANDMARKS

os.environ.setdefault("GLOG_minloglevel", "2")
import mediapipe  # noqa: E402  (its logging level is read at import)

# The first frame is shown this often more before it counts: the region of interest then comes from the points, as in
# every later frame, and not from the coarser detector.
_WARM_UP = 2


def follow(frames: Iterable[np.ndarray], min_confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Points [T, 478, 3] px (z in px, smaller is nearer; NaN where no face was found) and `found` [T] bool.

    The mesh follows the face from frame to frame and searches again when it is lost. A frame without a face is tried
    once more by itself.
    """
    solution = mediapipe.solutions.face_mesh.FaceMesh
    settings = {"max_num_faces": 1, "refine_landmarks": True, "min_detection_confidence": min_confidence}
    points = []
    with (
        solution(static_image_mode=False, min_tracking_confidence=min_confidence, **settings) as following,
        solution(static_image_mode=True, **settings) as alone,
    ):
        for index, frame in enumerate(frames):
            for _ in range(_WARM_UP if index == 0 else 0):
                following.process(frame)
            found = _points(following.process(frame), frame)
            points.append(found if found is not None else _points(alone.process(frame), frame))
    seen = np.array([p is not None for p in points], dtype=bool)
    missing = np.full((LANDMARKS, 3), np.nan, dtype=np.float32)
    return np.stack([missing if p is None else p for p in points]), seen


def fill_gaps(points: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Interpolate [T, L, 3] linearly over frames that are not `found` [T]; the ends repeat the nearest found frame.

    Raises:
        ValueError: no frame is found.
    """
    if not found.any():
        raise ValueError("no frame to interpolate from")
    known = np.flatnonzero(found)
    time = np.arange(len(points))
    right = np.clip(np.searchsorted(known, time), 0, len(known) - 1)
    left = np.clip(right - 1, 0, None)
    before, after = np.where(time < known[0], known[0], known[left]), known[right]
    before = np.where(time >= after, after, before)
    weight = np.where(after > before, (time - before) / np.maximum(after - before, 1), 0.0)[:, None, None]
    filled = (1 - weight) * points[before] + weight * points[after]
    return np.where(found[:, None, None], points, filled).astype(points.dtype)


def _points(result, frame: np.ndarray) -> np.ndarray | None:
    if not result.multi_face_landmarks:
        return None
    height, width = frame.shape[:2]
    scale = np.array([width, height, width], dtype=np.float32)
    return np.array([(p.x, p.y, p.z) for p in result.multi_face_landmarks[0].landmark], dtype=np.float32) * scale
