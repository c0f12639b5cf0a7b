"""Measures of a clip's fitness for a talking head, and the verdict on them.

Everything is measured on the crop, its sound, its face mesh and its tracks; nothing is judged without a number and a limit.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from emotag.artifacts import Tracks
from emotag.head.landmark_sets import FACE_OVAL, OUTER_EYE_CORNERS
from emotag.tracking.errors import SETS, jitter
from emotag.types import SAMPLE_RATE_HZ

# Levels are compared over spans of 20 ms; the loud and the quiet ones stand for speech and for the noise between words.
_SPAN = SAMPLE_RATE_HZ // 50
_LOUD, _QUIET = 90, 5
# The face is brought to this edge before its sharpness is measured, so that sizes compare.
_SHARPNESS_PX = 256
# A face that leaps by more of the outer-eye distance than this, against its own motion, has been cut.
_CUT_IOD = 0.08


@dataclass(frozen=True)
class Limit:
    """A measure beyond `warn` is mentioned, beyond `refuse` the clip is called unfit; `above` says which side is bad."""

    measure: str
    warn: float
    refuse: float
    above: bool
    unit: str
    advice: str


LIMITS = (
    Limit("snr_db", 15, 3, False, "dB", "record in a quieter room, nearer to the microphone"),
    Limit("face_px", 160, 64, False, "px", "film nearer or at a higher resolution"),
    Limit("sharpness", 12, 2, False, "", "focus on the face, use more light"),
    Limit("interpolated_share", 0.02, 0.3, True, "", "keep the face in view and uncovered"),
    Limit("yaw_range_deg", 70, 140, True, "degrees", "turn the head less"),
    Limit("detected_jitter_iod", 0.0175, 0.042, True, "", "use more light and a still camera"),
    Limit("inner51_iod", 0.02, 0.06, True, "", "look at the overlay; film from the front, evenly lit"),
)


def signal_to_noise_db(samples: np.ndarray) -> float:
    """Level of loud over quiet 20 ms spans (90th over 5th percentile of RMS) of mono 16 kHz sound, in dB, at most 80.

    An estimate from the clip alone: speech without pauses reads too low.
    """
    spans = samples[: len(samples) // _SPAN * _SPAN].reshape(-1, _SPAN)
    if not len(spans):
        return 0.0
    level = 10 * np.log10((spans.astype(np.float64) ** 2).mean(1) + 1e-10)
    return float(min(80.0, np.percentile(level, _LOUD) - np.percentile(level, _QUIET)))


def sharpness(frame: np.ndarray, points: np.ndarray) -> float:
    """Variance of the Laplacian of luma (0 to 255) in the box of the face oval, brought to 256 px; `points` [478, 3] px."""
    oval = points[list(FACE_OVAL), :2]
    height, width = frame.shape[:2]
    left, top = np.clip(np.floor(oval.min(0)).astype(int), 0, [width - 2, height - 2])
    right, bottom = np.clip(np.ceil(oval.max(0)).astype(int), [left + 2, top + 2], [width, height])
    face = cv2.cvtColor(np.ascontiguousarray(frame[top:bottom, left:right]), cv2.COLOR_RGB2GRAY)
    face = cv2.resize(face, (_SHARPNESS_PX, _SHARPNESS_PX), interpolation=cv2.INTER_AREA)
    return float(cv2.Laplacian(face, cv2.CV_32F).var())


def head_angles_deg(rotation: np.ndarray) -> dict[str, float]:
    """Range (2nd to 98th percentile) of pitch, yaw and roll in degrees of axis-angle rotations [T, 3] rad."""
    angles = np.array([_pitch_yaw_roll(vector) for vector in rotation])
    low, high = np.percentile(np.degrees(np.unwrap(angles, axis=0)), [2, 98], axis=0)
    return {f"{name}_range_deg": float(b - a) for name, a, b in zip(("pitch", "yaw", "roll"), low, high, strict=True)}


def outer_eye_distance(points: np.ndarray) -> float:
    """Mean distance in px of the outer eye corners of [T, 478, 2 or 3] px."""
    right, left = OUTER_EYE_CORNERS
    return float(np.linalg.norm(points[:, right, :2] - points[:, left, :2], axis=-1).mean())


def cuts(points: np.ndarray) -> list[int]:
    """Frames at which the face of [T, 478, 2 or 3] px leaps as in a cut (or a very fast turn).

    The mean point's second difference is large there and at the frame before, and its sign turns: a leap by d bends the
    path by d, then by -d.
    """
    bend = np.diff(points[..., :2].mean(1), 2, axis=0) / outer_eye_distance(points)
    large = np.linalg.norm(bend, axis=1) > _CUT_IOD
    turned = (bend[:-1] * bend[1:]).sum(1) < 0
    return (np.flatnonzero(large[:-1] & large[1:] & turned) + 2).tolist()


def tracking_errors(
    tracks: Tracks, detected: np.ndarray, model: np.ndarray, part: slice = slice(None)
) -> dict[str, float]:
    """Mean distance of tracked from detected points as shares of the outer-eye distance, over the frames of `part` with
    a face (0 if there are none).

    Keys: inner51_iod, contour17_iod, lips_iod, eyelids_iod; jitter (of the tracked points `model` [T, 478, 2] px) and
    jitter_detected (of `detected` [T, 478, 3] px), see `emotag.tracking.errors.jitter`.
    """
    used = ~tracks.interpolated[part]
    if not used.any():
        return dict.fromkeys((*SETS, "jitter", "jitter_detected"), 0.0)
    detected, model = detected[part], model[part]
    unit, error = outer_eye_distance(detected[used]), tracks.landmark_error[part][used]
    found = {name: float(error[:, list(points)].mean() / unit) for name, points in SETS.items()}
    return found | {"jitter": jitter(model, unit), "jitter_detected": jitter(detected[..., :2], unit)}


def judge(measures: dict[str, float]) -> tuple[str, list[str]]:
    """Verdict ("ok", "warn" or "refuse") and its reasons, one line each, of the measures that have a limit."""
    verdict, reasons = "ok", []
    for limit in LIMITS:
        value = measures[limit.measure]
        sign = 1 if limit.above else -1
        if sign * value <= sign * limit.warn:
            continue
        unfit = sign * value > sign * limit.refuse
        verdict = "refuse" if unfit or verdict == "refuse" else "warn"
        side, unit = ("at most" if limit.above else "at least"), f" {limit.unit}".rstrip()
        reasons.append(
            f"{limit.measure}: found {value:.3g}{unit}, expected {side} {limit.warn:g}{unit}; {limit.advice}"
            + (" (unfit)" if unfit else "")
        )
    return verdict, reasons


def _pitch_yaw_roll(vector: np.ndarray) -> tuple[float, float, float]:
    """Angles about x, y and z of the rotation Rz Ry Rx."""
    matrix, _ = cv2.Rodrigues(np.asarray(vector, np.float64).reshape(3, 1))
    pitch = np.arctan2(matrix[2, 1], matrix[2, 2])
    yaw = np.arcsin(np.clip(-matrix[2, 0], -1, 1))
    roll = np.arctan2(matrix[1, 0], matrix[0, 0])
    return float(pitch), float(yaw), float(roll)
