"""Scores of things that happen at a time: closed lips and blinks."""

import numpy as np


def f1(truth: np.ndarray, predicted: np.ndarray, tolerance: int) -> float:
    """F1 of two sets of frame numbers; one counts as found if the other set has a member within `tolerance` frames.

    NaN where the truth has none (nothing can be said then).
    """
    if len(truth) == 0:
        return float("nan")
    if len(predicted) == 0:
        return 0.0
    distance = np.abs(np.asarray(truth)[:, None] - np.asarray(predicted)[None])
    recall = float((distance.min(1) <= tolerance).mean())
    precision = float((distance.min(0) <= tolerance).mean())
    return 0.0 if recall + precision == 0 else 2 * recall * precision / (recall + precision)


def blinks(opening: np.ndarray, closed_share: float = 0.6, longest: int = 15) -> np.ndarray:
    """Middle frames of the runs in which the eye opening [T] is under `closed_share` of its median.

    Runs longer than `longest` frames are a look down or closed eyes, not a blink.
    """
    closed = np.concatenate([[False], opening < closed_share * np.median(opening), [False]])
    edges = np.flatnonzero(np.diff(closed.astype(np.int8)))
    runs = edges.reshape(-1, 2)
    runs = runs[runs[:, 1] - runs[:, 0] <= longest]
    return (runs[:, 0] + runs[:, 1] - 1) / 2
