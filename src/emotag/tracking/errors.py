"""How far tracked points are from detected ones, as shares of the outer-eye distance."""

import numpy as np

from emotag.head.landmark_sets import (
    IBUG_INNER_51,
    INNER_LIPS,
    JAW_LINE,
    LEFT_LID_LOWER,
    LEFT_LID_UPPER,
    OUTER_EYE_CORNERS,
    OUTER_LIPS,
    RIGHT_LID_LOWER,
    RIGHT_LID_UPPER,
)
from emotag.metrics import temporal

LIPS = INNER_LIPS + OUTER_LIPS
LIDS = LEFT_LID_UPPER + LEFT_LID_LOWER + RIGHT_LID_UPPER + RIGHT_LID_LOWER
SETS = {"inner51_iod": IBUG_INNER_51, "contour17_iod": JAW_LINE, "lips_iod": LIPS, "eyelids_iod": LIDS}


def errors(detected: np.ndarray, model: np.ndarray, used: np.ndarray | None = None) -> dict[str, float]:
    """Mean distances of `model` [T, 478, 2] from `detected` [T, 478, 2 or 3] px over frames `used` [T] (all if None), as
    shares of the clip's mean outer-eye distance; and `jitter` of both.

    Keys: inner51_iod, contour17_iod (300-W's inner 51 and jaw 17 points), lips_iod, eyelids_iod, jitter, jitter_detected
    (see `jitter`).
    """
    used = np.ones(len(detected), bool) if used is None else used
    eyes = detected[used][:, list(OUTER_EYE_CORNERS), :2]
    unit = float(np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=-1).mean())
    distance = np.linalg.norm(model[used] - detected[used][..., :2], axis=-1) / unit
    result = {name: float(distance[:, list(points)].mean()) for name, points in SETS.items()}
    return result | {"jitter": jitter(model, unit), "jitter_detected": jitter(detected[..., :2], unit)}


def jitter(points: np.ndarray, unit: float = 1.0) -> float:
    """`emotag.metrics.temporal.jitter` of the inner 51 points of [T, 478, 2] px, as a share of `unit` px."""
    return temporal.jitter(points[:, list(IBUG_INNER_51)], unit)
