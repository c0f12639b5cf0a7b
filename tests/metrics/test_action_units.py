"""Action-unit error by hand."""

import numpy as np
import pytest

from emotag.metrics.action_units import LOWER, UPPER, action_unit_error


def test_sum_of_mean_squares():
    names = [*LOWER, *UPPER]
    truth = np.zeros((4, len(names)))
    predicted = truth.copy()
    predicted[:, names.index("AU12")] = 2
    predicted[:2, names.index("AU25")] = 1
    predicted[:, names.index("AU45")] = 3
    assert action_unit_error(names, truth, predicted, LOWER) == pytest.approx(4.5)
    assert action_unit_error(names, truth, predicted, UPPER) == pytest.approx(9)
