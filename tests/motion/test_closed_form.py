"""Ridge algebra against direct minimisation and limits."""

import numpy as np
from sklearn.linear_model import Ridge

from emotag.motion.closed_form import map_update, moment, principal_components, ridge_regression

rng = np.random.default_rng(0)


def problem(rows=60, inputs=8, outputs=3):
    x = rng.normal(size=(rows, inputs))
    return x - x.mean(0), rng.normal(size=(rows, outputs))


def test_ridge_equals_scikit_learn():
    x, y = problem()
    weights = rng.uniform(0.2, 1, len(x))
    outer = (x * weights[:, None]).T @ x / weights.sum()
    strength = 0.3 * np.trace(outer) / len(outer)
    expected = Ridge(alpha=strength * weights.sum(), fit_intercept=False).fit(x, y, sample_weight=weights).coef_.T
    assert np.allclose(ridge_regression(x, y, weights, moment(x, weights, 0.3)), expected)


def test_map_update_equals_the_normal_equations():
    x, y = problem()
    prior, spread = rng.normal(size=(8, 3)), moment(*problem()[:1], np.ones(60), 0.1)
    expected = np.linalg.solve(x.T @ x + 50 * spread, x.T @ y + 50 * spread @ prior)
    assert np.allclose(map_update(prior, spread, x, y, 50), expected)


def test_map_update_between_its_limits():
    x, y = problem()
    prior, spread = rng.normal(size=(8, 3)), np.eye(8)
    assert np.allclose(map_update(prior, spread, x, y, 1e12), prior)
    assert np.allclose(map_update(prior, spread, x, y, 1e-9), np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-5)


def test_principal_components_reconstruct_and_have_mean_square_one():
    low = rng.normal(size=(200, 3)) @ rng.normal(size=(3, 10)) + 5
    mean, basis = principal_components(low, np.ones(200), 3)
    scores = (low - mean) @ basis
    assert np.isclose((scores**2).mean(), 1)
    assert np.allclose((low - mean) @ basis @ np.linalg.pinv(basis), low - mean)


def test_more_components_than_dimensions_leaves_zero_columns():
    rows = rng.normal(size=(50, 4))
    _, basis = principal_components(rows, np.ones(50), 6)
    assert basis.shape == (4, 6) and not basis[:, 4:].any()
