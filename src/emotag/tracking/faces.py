"""Faces in a clip: detection on sampled frames, linked through time; the main face and its rivals.

MediaPipe's two detectors are joined: short range (faces near the camera, the finer box) and full range (small faces).
A face box is the detector's: about from the brows to the chin, and that is the height meant by "face height" everywhere.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

os.environ.setdefault("GLOG_minloglevel", "2")
import mediapipe  # noqa: E402  (its logging level is read at import)

_MIN_CONFIDENCE = 0.5
_SAME_FACE_IOU = 0.3
# The detectors' boxes are coarse where the face is small; such a face is looked at again in a window of its own.
_SMALL_SHARE, _WINDOW_IN_FACES = 0.3, 2.6


@dataclass(frozen=True)
class Face:
    """A detected face: `box` [4] (left, top, right, bottom) px and `confidence` 0 to 1."""

    box: np.ndarray
    confidence: float

    @property
    def height(self) -> float:
        return float(self.box[3] - self.box[1])

    @property
    def centre(self) -> np.ndarray:
        return (self.box[:2] + self.box[2:]) / 2


@dataclass(eq=False)
class FaceTrack:
    """One face through the sampled frames: `frames` (indices of frames) and `faces`, one each."""

    frames: list[int] = field(default_factory=list)
    faces: list[Face] = field(default_factory=list)

    @property
    def height(self) -> float:
        """Median face height in px."""
        return float(np.median([face.height for face in self.faces]))

    @property
    def boxes(self) -> np.ndarray:
        """[n, 4] px."""
        return np.stack([face.box for face in self.faces])


@contextmanager
def face_detector() -> Iterator["FaceDetector"]:
    """Both detectors, closed on leaving."""
    solution = mediapipe.solutions.face_detection.FaceDetection
    with (
        solution(model_selection=0, min_detection_confidence=_MIN_CONFIDENCE) as short,
        solution(model_selection=1, min_detection_confidence=_MIN_CONFIDENCE) as full,
    ):
        yield FaceDetector(short, full)


class FaceDetector:
    """Finds the faces of one picture."""

    def __init__(self, short, full) -> None:
        self._short, self._full = short, full

    def detect(self, picture: np.ndarray) -> list[Face]:
        """Faces of [H, W, 3] uint8, largest first; the short-range box stands where both detectors see a face."""
        # The full-range boxes are distorted on pictures that are not square, so both get a square one.
        side = max(picture.shape[:2])
        square = np.zeros((side, side, 3), dtype=np.uint8)
        square[: picture.shape[0], : picture.shape[1]] = picture
        faces = _faces(self._short.process(square), side)
        for candidate in _faces(self._full.process(square), side):
            if all(overlap(candidate.box, face.box) < _SAME_FACE_IOU for face in faces):
                faces.append(candidate)
        return sorted((self._look_again(square, face) for face in faces), key=lambda face: -face.height)

    def _look_again(self, square: np.ndarray, face: Face) -> Face:
        """The same face with the box found in a window around it; unchanged where it is large or not found there."""
        side = len(square)
        if face.height > _SMALL_SHARE * side:
            return face
        edge = min(side, round(_WINDOW_IN_FACES * max(face.box[2:] - face.box[:2])))
        left, top = np.clip(np.round(face.centre - edge / 2), 0, side - edge).astype(int)
        window = np.ascontiguousarray(square[top : top + edge, left : left + edge])
        near = [
            Face(f.box + np.array([left, top, left, top]), f.confidence)
            for f in _faces(self._short.process(window), edge)
        ]
        near = [f for f in near if np.linalg.norm(f.centre - face.centre) < face.height / 2]
        return max(near, key=lambda f: f.confidence) if near else face


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of two boxes [4]."""
    size = np.maximum(0.0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]))
    shared = size.prod()
    return float(shared / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - shared))


def link(frames: list[int], detections: list[list[Face]]) -> list[FaceTrack]:
    """Join the detections of successive sampled frames into tracks, the longest-and-largest first.

    A face continues the track whose last face is nearest, if its centre moved by less than one face height and its
    height changed by less than half.
    """
    tracks: list[FaceTrack] = []
    for frame, faces in zip(frames, detections, strict=True):
        free = list(tracks)
        for face in faces:
            near = [track for track in free if _continues(track.faces[-1], face)]
            if near:
                track = min(near, key=lambda track: np.linalg.norm(track.faces[-1].centre - face.centre))
                free.remove(track)
            else:
                track = FaceTrack()
                tracks.append(track)
            track.frames.append(frame)
            track.faces.append(face)
    return sorted(tracks, key=lambda track: -sum(face.height * face.confidence for face in track.faces))


def rivals(tracks: list[FaceTrack], sampled: int, share: float, min_presence: float = 0.2) -> list[FaceTrack]:
    """Tracks other than the first that are at least `share` of its height and seen in `min_presence` of the samples."""
    main = tracks[0]
    return [
        track
        for track in tracks[1:]
        if track.height >= share * main.height and len(track.faces) >= max(2, min_presence * sampled)
    ]


def _continues(last: Face, face: Face) -> bool:
    reach = max(last.height, face.height)
    moved = np.linalg.norm(last.centre - face.centre)
    return bool(moved < reach and 0.5 < face.height / last.height < 2.0)


def _faces(result, side: int) -> list[Face]:
    faces = []
    for detection in result.detections or []:
        box = detection.location_data.relative_bounding_box
        corners = np.array([box.xmin, box.ymin, box.xmin + box.width, box.ymin + box.height]) * side
        faces.append(Face(corners, float(detection.score[0])))
    return faces
