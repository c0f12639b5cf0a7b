"""Points that meet when mouth or eyes close."""

import numpy as np

from emotag.head.landmark_sets import INNER_LIP_PAIRS, LEFT_LID_PAIRS, RIGHT_LID_PAIRS

# Pairs whose distance says how far mouth and eyes are open, and how wide the mouth is (its corners twice).
SPAN_PAIRS = (*INNER_LIP_PAIRS, *RIGHT_LID_PAIRS, *LEFT_LID_PAIRS, (61, 291), (61, 291), (78, 308), (78, 308))
SPAN_WEIGHT, CLOSED_WEIGHT = 4.0, 60.0
# MediaPipe leaves closed eyes open by a fifth to a third of their usual gap (real people, blinks).
CLOSED_SHARE, OPEN_SHARE = 0.3, 0.65
# Closed lids are asked to pass each other by this share of the usual gap: asked to touch, they stop just short of it.
OVERLAP = 0.08
_MIDDLE = slice(2, 5)


def eye_gaps(points: np.ndarray) -> np.ndarray:
    """Mean distance px between the middles of the lids, [T, 2] right and left eye, of `points` [T, 478, 2 or 3] px."""
    gaps = []
    for pairs in (RIGHT_LID_PAIRS, LEFT_LID_PAIRS):
        upper, lower = np.array(pairs[_MIDDLE]).T
        gaps.append(np.linalg.norm(points[:, lower, :2] - points[:, upper, :2], axis=-1).mean(1))
    return np.stack(gaps, 1)


def close_lids(points: np.ndarray, usual: np.ndarray, shut: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Detected points [T, 478, 2] px with the lids of nearly closed eyes moved together, each side by half, and how
    closed each eye is [T, 2], 0 to 1.

    `usual` [2] px is each eye's usual gap. An eye at CLOSED_SHARE of it or less is closed, one above OPEN_SHARE stays as
    detected; between the two the gap falls linearly. Blinks are taken to be of both eyes: where one is closed and the
    other at least narrowed, the detector is thought to have missed the other's closing (a wink leaves it open).
    `shut` [T] says how closed both are at least, by other evidence.
    """
    result, gaps = points.astype(np.float64).copy(), eye_gaps(points)
    closedness = np.clip((OPEN_SHARE - gaps / usual) / (OPEN_SHARE - CLOSED_SHARE), 0, 1)
    closedness = np.where(closedness > 0, closedness.max(1, keepdims=True), 0.0)
    if shut is not None:
        closedness = np.maximum(closedness, shut[:, None])
    wanted = np.minimum(gaps, usual * (OPEN_SHARE * (1 - closedness) - OVERLAP * closedness**2))
    taken = 1 - np.where(closedness > 0, wanted, gaps) / np.maximum(gaps, 1e-9)
    for eye, pairs in enumerate((RIGHT_LID_PAIRS, LEFT_LID_PAIRS)):
        upper, lower = np.array(pairs).T
        half = 0.5 * taken[:, eye, None, None] * (points[:, lower] - points[:, upper])
        result[:, upper] += half
        result[:, lower] -= half
    return result, closedness


def span_weights(closedness: np.ndarray) -> np.ndarray:
    """Weights [T, K] of `SPAN_PAIRS`: a closed eye (`closedness` [T, 2]) must be closed, wherever exactly its lids meet."""
    weights = np.full((len(closedness), len(SPAN_PAIRS)), SPAN_WEIGHT)
    start = len(INNER_LIP_PAIRS)
    for eye, pairs in enumerate((RIGHT_LID_PAIRS, LEFT_LID_PAIRS)):
        weights[:, start : start + len(pairs)] += CLOSED_WEIGHT * closedness[:, eye, None] ** 2
        start += len(pairs)
    return weights
