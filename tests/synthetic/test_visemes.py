"""Visemes: single phones reach their targets, weights are normalised, closures survive their neighbours."""

import numpy as np
import pytest

from emotag.synthetic.visemes import LEAD_S, TARGETS, dominance, lip_track


@pytest.mark.parametrize("symbol", ["AA", "M", "SIL"])
def test_one_phone_is_its_target(symbol):
    np.testing.assert_allclose(lip_track([(0, 0.2, symbol)], np.linspace(-1, 2, 7)), [TARGETS[symbol]] * 7)


def test_weights_sum_to_one():
    phones = [(0.1 * i, 0.1 * i + 0.1, symbol) for i, symbol in enumerate(["AA", "P", "IY", "SIL"])]
    np.testing.assert_allclose(dominance(phones, np.linspace(-5, 9, 40)).sum(1), 1)


def test_lips_close_between_vowels():
    phones = [(0, 0.15, "AA"), (0.15, 0.23, "M"), (0.23, 0.4, "AA")]
    aperture = lip_track(phones, np.array([0.075, 0.19, 0.32]) - LEAD_S)[:, 0]
    assert aperture[1] < -0.6 < 0.5 < min(aperture[0], aperture[2])


def test_lead_shifts_time():
    phones = [(0, 0.2, "AA"), (0.2, 0.4, "UW")]
    times = np.linspace(0, 0.4, 9)
    np.testing.assert_allclose(lip_track(phones, times, lead_s=0.1), lip_track(phones, times + 0.1, lead_s=0))


def test_effort_opens_vowels_and_leaves_closures():
    phones = [(0, 0.2, "AA"), (0.2, 0.4, "M")]
    plain, strong = (lip_track(phones, np.array([-0.2, 0.6]), effort=e) for e in (None, np.array([1.5, 1.5])))
    assert strong[0, 0] > 1.3 * plain[0, 0] and strong[1, 0] == pytest.approx(plain[1, 0], abs=1e-2)
