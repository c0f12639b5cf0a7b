import numpy as np

from emotag.identity.neutral import most_neutral
from emotag.types import NEUTRAL


def test_the_most_neutral_frames_of_the_part_in_order_of_time():
    probabilities = np.zeros((10, 7))
    probabilities[:, NEUTRAL] = [0.9, 0.1, 0.5, 0.8, 0.5, 0.7, 0.2, 0.9, 1.0, 1.0]
    assert most_neutral(probabilities, (1, 8), 3) == [3, 5, 7]
    assert most_neutral(probabilities, (1, 8), 4) == [2, 3, 5, 7]  # of two equal ones the earlier
    assert most_neutral(probabilities, (1, 4), 50) == [1, 2, 3]
