"""Trembling of the face over time."""

import numpy as np


def jitter(points: np.ndarray, unit: float = 1.0) -> float:
    """Mean norm over frames and points of the second difference over time of [T, L, 2] points, over `unit` in their unit.

    The one definition of jitter here: of video in pixels at 512 (`jitter_px512`), of tracking in shares of the outer-eye
    distance (`jitter`). NaN under three frames.
    """
    if len(points) < 3:
        return float("nan")
    return float(np.linalg.norm(np.diff(points, n=2, axis=0), axis=-1).mean()) / unit
