"""Weighted means and outer products of rows that come a block at a time, in float64: what is summed never lies in memory."""

from collections.abc import Callable, Iterable

import numpy as np

# Rows [n, D] and how much each of them counts.
Blocks = Iterable[tuple[np.ndarray, float]]


def mean(blocks: Blocks) -> np.ndarray:
    """[D] weighted mean of all rows; 0 where there are none."""
    total, count = np.zeros(1), 0.0
    for rows, weight in blocks:
        total = total + weight * np.asarray(rows, np.float64).sum(0)
        count += weight * len(rows)
    return total / count if count else total


def outer(pairs: Iterable[tuple[np.ndarray, np.ndarray, float]]) -> np.ndarray:
    """[K, C] weighted mean outer product of rows [n, K] and [n, C]."""
    total, count = np.zeros((1, 1)), 0.0
    for left, right, weight in pairs:
        total = total + (weight * left).T @ right
        count += weight * len(left)
    return total / count


def spread(blocks: Callable[[], Blocks]) -> tuple[np.ndarray, np.ndarray]:
    """[D] mean and [D] standard deviation; `blocks` is called twice, so that no two large sums are subtracted."""
    middle = mean(blocks())
    return middle, np.sqrt(mean(((rows - middle) ** 2, weight) for rows, weight in blocks()))
