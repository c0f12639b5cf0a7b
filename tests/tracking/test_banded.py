import numpy as np
import pytest

from emotag.tracking.banded import Coupling, solve

RANDOM = np.random.default_rng(0)


def dense(blocks, coupling):
    frames, size = blocks.shape[:2]
    matrix = np.zeros((frames * size, frames * size))
    for t in range(frames):
        matrix[t * size : (t + 1) * size, t * size : (t + 1) * size] = blocks[t]
    for order, weights in ((1, coupling.first), (2, coupling.second)):
        if frames > order:
            whole = np.ones(frames - order, bool)
            for start in range(order):
                whole &= coupling.linked[start : start + frames - order]
            difference = np.kron(whole[:, None] * np.diff(np.eye(frames), order, axis=0), np.eye(size))
            matrix += difference.T @ np.diag(np.tile(weights, frames - order)) @ difference
    return matrix


def problem(frames, size=3, shared=2):
    rows = RANDOM.normal(size=(frames, 8, size + shared))
    full = np.einsum("tri,trj->tij", rows, rows)
    coupling = Coupling(RANDOM.uniform(0, 2, size), RANDOM.uniform(0, 2, size), np.arange(frames - 1) != 3)
    cross, inner = full[:, :size, size:], full[:, size:, size:].sum(0) + np.eye(shared)
    return full[:, :size, :size], coupling, cross, inner, RANDOM.normal(size=(frames, size)), RANDOM.normal(size=shared)


@pytest.mark.parametrize("frames", [1, 2, 3, 7])
def test_step_is_the_dense_solution(frames):
    blocks, coupling, cross, inner, gradient, shared_gradient = problem(frames)
    free = np.ones_like(gradient, bool)
    step, shared = solve(blocks, gradient, coupling, free, 0.0, (cross, inner, shared_gradient))
    border = cross.reshape(-1, 2)
    matrix = np.block([[dense(blocks, coupling), border], [border.T, inner]])
    expected = -np.linalg.solve(matrix, np.concatenate([gradient.ravel(), shared_gradient]))
    np.testing.assert_allclose(np.concatenate([step.ravel(), shared]), expected, atol=1e-6)


def test_held_unknowns_do_not_move():
    blocks, coupling, *_, gradient, _ = problem(5)
    free = RANDOM.random(gradient.shape) > 0.4
    step, shared = solve(blocks, gradient, coupling, free, 0.0)
    assert shared is None
    assert np.all(step[~free] == 0)
    index = np.flatnonzero(free.ravel())
    expected = -np.linalg.solve(dense(blocks, coupling)[np.ix_(index, index)], gradient.ravel()[index])
    np.testing.assert_allclose(step.ravel()[index], expected, atol=1e-6)


def test_gradient_of_smoothness_is_that_of_its_cost():
    coupling = Coupling(np.array([1.0, 0.5]), np.array([0.3, 2.0]), np.array([1, 1, 0, 1, 1], bool))
    x, direction = RANDOM.normal(size=(6, 2)), RANDOM.normal(size=(6, 2))
    slope = (coupling.cost(x + 1e-5 * direction) - coupling.cost(x - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose((coupling.gradient(x) * direction).sum(), slope, rtol=1e-6)
