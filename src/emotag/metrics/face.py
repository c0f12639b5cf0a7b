"""Metrics of a face against the true one, from landmarks detected on both and the action units fitted to them."""

from collections.abc import Sequence

import numpy as np

from emotag.head.landmark_sets import IBUG_68, IBUG_INNER_51
from emotag.metrics.action_units import LOWER, UPPER, action_unit_error
from emotag.metrics.base import REFERENCE_PX
from emotag.metrics.detected import Detected, eye_opening
from emotag.metrics.events import blinks, f1
from emotag.metrics.lips import lip_distance, lip_scores
from emotag.metrics.temporal import jitter
from emotag.tracking.lip_measures import lip_measures

BLINK_TOLERANCE = 3
LIPS, INNER = list(IBUG_68[48:]), list(IBUG_INNER_51)


def face_scores(
    names: Sequence[str], truth: tuple[Detected, np.ndarray], measured: tuple[Detected, np.ndarray]
) -> dict[str, float]:
    """Metrics by name of `measured` against `truth`, each landmarks and action units [T, A] 0 to 5 called `names`.

    The two may have been detected at different sizes: pixels are those of frames 512 px wide.
    """
    (true_face, true_units), (face, units) = truth, measured
    real, points = true_face.at_width(REFERENCE_PX), face.at_width(REFERENCE_PX)
    return {
        "lmd_px512": lip_distance(real[:, LIPS, :2], points[:, LIPS, :2]),
        "aue_l": action_unit_error(list(names), true_units, units, LOWER),
        "aue_u": action_unit_error(list(names), true_units, units, UPPER),
        **lip_scores(lip_measures(real), lip_measures(points)),
        "blink_f1": f1(blinks(eye_opening(real)), blinks(eye_opening(points)), BLINK_TOLERANCE),
        "jitter_px512": jitter(points[:, INNER, :2]),
        "undetected": float((~face.found).sum()),
    }
