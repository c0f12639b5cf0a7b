"""Lip metrics on series whose answer is known."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from emotag.metrics.events import blinks, f1
from emotag.metrics.lips import best_lag, lip_distance, lip_scores
from emotag.metrics.temporal import jitter


@pytest.fixture
def measures():
    rng = np.random.default_rng(1)
    steps = np.convolve(rng.normal(size=160), np.ones(4) / 4, "valid")
    return np.stack([steps, -(steps**2), steps, steps], 1)


def test_truth_scores_perfectly(measures):
    scores = lip_scores(measures, measures)
    assert scores["lip_aperture_corr"] == pytest.approx(1)
    assert scores["lip_aperture_gain"] == 1 and scores["lip_closure_f1"] == 1 and scores["lip_best_lag"] == 0


def test_gain_is_a_ratio_of_deviations(measures):
    scores = lip_scores(measures, 0.5 * measures)
    assert scores["lip_aperture_gain"] == pytest.approx(0.5)
    assert scores["lip_aperture_corr"] == pytest.approx(1)


def test_correlations_are_those_of_scipy(measures):
    predicted = measures + np.random.default_rng(5).normal(size=measures.shape)
    scores = lip_scores(measures, predicted)
    for column, name in enumerate(("lip_aperture_corr", "lip_width_corr")):
        assert scores[name] == pytest.approx(pearsonr(measures[:, column], predicted[:, column])[0])


def test_closures_by_hand():
    """Lips are open at 1, closed at 0, and shut for two frames three times. One prediction is two frames late, one is missed,
    one is nobody's; at 0.3, more than a fifth of the range, lips are not closed."""
    truth, predicted = np.ones((60, 4)), np.ones((60, 4))
    truth[[10, 11, 30, 31, 50, 51], 0] = 0
    predicted[[10, 11, 32, 33, 40, 41], 0] = 0
    predicted[20, 0] = 0.3
    # Within one frame are 10, 11 and 31 of the truth's six, 10, 11 and 32 of the prediction's.
    assert lip_scores(truth, predicted)["lip_closure_f1"] == pytest.approx(0.5)


def test_a_frozen_mouth_has_no_correlation(measures):
    assert np.isnan(lip_scores(measures, np.zeros_like(measures))["lip_aperture_corr"])


@pytest.mark.parametrize("lag", [-3, 0, 5])
def test_lag_is_positive_when_the_video_is_late(measures, lag):
    assert best_lag(measures[:, 0], np.roll(measures[:, 0], lag)) == lag


def test_lip_distance_ignores_translation():
    points = np.random.default_rng(2).normal(size=(5, 20, 2))
    assert lip_distance(points, points + np.array([7.0, -3.0])) == pytest.approx(0)
    widened = points * np.array([1.0, 1.0])
    widened[:, 0, 0] += 20
    expected = np.linalg.norm(np.r_[19, np.ones(19)][:, None] * np.array([1.0, 0]), axis=1).mean()
    assert lip_distance(points, widened) == pytest.approx(expected)


def test_f1_by_hand():
    assert f1(np.array([1, 10, 20]), np.array([2, 10, 40]), 1) == pytest.approx(2 / 3)
    assert np.isnan(f1(np.array([]), np.array([1]), 1)) and f1(np.array([1]), np.array([]), 1) == 0


def test_blinks_are_short_runs():
    opening = np.ones(100)
    opening[10:14] = 0.2
    opening[40:80] = 0.1
    np.testing.assert_array_equal(blinks(opening), [11.5])


def test_jitter_of_straight_motion_is_zero():
    line = np.arange(10)[:, None, None] * np.ones((1, 4, 2))
    assert jitter(line) == 0
    line[5] += np.array([3.0, 4.0])
    assert jitter(line) == pytest.approx((5 + 10 + 5) / 8)
    assert jitter(line, 2.0) == jitter(line) / 2
    assert np.isnan(jitter(line[:2]))
