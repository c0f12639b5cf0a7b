"""Agreement of distributions over emotions."""

import numpy as np
import pytest

from emotag.metrics.emotion import agreement


def test_closed_forms():
    one, other = np.eye(7)[[0, 1]], np.eye(7)[[0, 2]]
    assert agreement(one, one) == 1 and agreement(one, other) == 0.5
    assert agreement(np.full((3, 7), 1 / 7), np.eye(7)[:3]) == pytest.approx(1 / 7)


def test_it_is_one_minus_the_total_variation():
    a, b = np.random.default_rng(0).dirichlet(np.ones(7), (2, 50))
    assert agreement(a, b) == pytest.approx(1 - 0.5 * np.abs(a - b).sum(1).mean()) == agreement(b, a)
