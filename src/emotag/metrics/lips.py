"""Lip measures against the ground truth's own lips, from landmarks detected on decoded video."""

import numpy as np

from emotag.metrics.events import f1

CLOSED_SHARE = 0.2
MAX_LAG = 8


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation of two series [T]; NaN if either is constant or there are fewer than three values."""
    if len(a) < 3 or np.std(a) < 1e-9 or np.std(b) < 1e-9:
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])


def best_lag(truth: np.ndarray, predicted: np.ndarray, limit: int = MAX_LAG) -> float:
    """Lag in frames at which the correlation peaks, + = the predicted series is late."""
    limit = min(limit, len(truth) // 3)
    scores = []
    for lag in range(-limit, limit + 1):
        a = truth[max(0, -lag) : len(truth) - max(0, lag)]
        b = predicted[max(0, lag) : len(predicted) - max(0, -lag)]
        scores.append(correlation(a, b))
    if np.all(np.isnan(scores)):
        return float("nan")
    return float(np.nanargmax(scores) - limit)


def lip_distance(truth: np.ndarray, predicted: np.ndarray) -> float:
    """LMD: mean Euclidean distance of [T, 20, 2] lip points, each frame's set centred on its own mean."""
    truth = truth - truth.mean(1, keepdims=True)
    predicted = predicted - predicted.mean(1, keepdims=True)
    return float(np.linalg.norm(truth - predicted, axis=-1).mean())


def lip_scores(truth: np.ndarray, predicted: np.ndarray) -> dict[str, float]:
    """The lip metrics by name from lip measures [T, 4] (aperture, width, protrusion, jaw) of both sides."""
    aperture, width = truth[:, 0], truth[:, 1]
    low, high = np.percentile(aperture, [5, 95])
    threshold = low + CLOSED_SHARE * (high - low)
    deviation = float(np.std(aperture))
    return {
        "lip_aperture_corr": correlation(aperture, predicted[:, 0]),
        "lip_width_corr": correlation(width, predicted[:, 1]),
        "lip_aperture_gain": float(np.std(predicted[:, 0])) / deviation if deviation > 0 else float("nan"),
        "lip_closure_f1": f1(
            np.flatnonzero(aperture < threshold), np.flatnonzero(predicted[:, 0] < threshold), tolerance=1
        ),
        "lip_best_lag": best_lag(aperture, predicted[:, 0]),
    }
