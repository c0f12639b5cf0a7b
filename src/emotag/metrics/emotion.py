"""Whether a face shows the emotion that the true one shows, to a classifier that is not the teacher."""

import numpy as np


def agreement(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Mean over frames of the overlap (sum of minima) of two distributions over emotions [T, 7]: 1 for equal ones, 0 for
    ones that share nothing; 1 minus the total variation distance.
    """
    return float(np.minimum(truth, predicted).sum(1).mean())
