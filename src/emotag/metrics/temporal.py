"""Trembling of the face over time."""

import numpy as np


def jitter(points: np.ndarray) -> float:
    """Mean norm of the second difference over time of [T, L, 2] points, in their own unit; NaN under three frames."""
    if len(points) < 3:
        return float("nan")
    return float(np.linalg.norm(np.diff(points, n=2, axis=0), axis=-1).mean())
