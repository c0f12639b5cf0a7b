"""Frames that show a person as they are, without expression."""

import numpy as np

from emotag.types import NEUTRAL


def most_neutral(probabilities: np.ndarray, part: tuple[int, int], count: int) -> list[int]:
    """The `count` frames of [start, stop) with the highest neutral probability of [T, 7], in order of time (all if fewer).

    Equal probabilities: the earlier frame.
    """
    start, stop = part
    order = np.argsort(-probabilities[start:stop, NEUTRAL], kind="stable")[:count]
    return sorted(int(frame) + start for frame in order)
