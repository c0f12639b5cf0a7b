"""How much each of the 478 points counts in the fit."""

import numpy as np

from emotag.head.base import HeadModel
from emotag.types import LANDMARKS

SPREAD_FLOOR_M = 1e-3
# Inner lips and lids decide whether mouth and eyes close; there are few of them.
INNER_LIPS = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324)
OUTER_LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375)
LIDS = (
    33, 246, 161, 160, 159, 158, 157, 173, 133, 7, 163, 144, 145, 153, 154, 155,
    263, 466, 388, 387, 386, 385, 384, 398, 362, 249, 390, 373, 374, 380, 381, 382,
)  # fmt: skip
IRISES = tuple(range(468, 478))
FACTORS = ((INNER_LIPS, 4.0), (OUTER_LIPS, 2.0), (LIDS, 4.0), (IRISES, 2.0))


def point_weights(head: HeadModel) -> np.ndarray:
    """Weights [478], mean 1: the inverse square of the embedding's spread, times a factor for lips, lids and irises."""
    spread = head.embedding.spread.double().numpy()
    weights = 1 / (spread**2 + SPREAD_FLOOR_M**2)
    factors = np.ones(LANDMARKS)
    for points, factor in FACTORS:
        factors[list(points)] = factor
    weights = np.clip(weights / np.median(weights), 0.25, 2.0) * factors
    return weights / weights.mean()
