"""Closed forms: principal components, ridge regression, and the MAP update of a ridge around a prior.

All in float64 on numpy. Rows are frames; `weights` [n] say how much each counts.
"""

import numpy as np


def principal_components(rows: np.ndarray, weights: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean [D] and basis [D, count] of [n, D] rows, signs fixed, such that (rows - mean) @ basis has mean square 1.

    The scale is one number for all components. With fewer than `count` dimensions the surplus columns are zero.
    """
    rows = np.asarray(rows, np.float64)
    share = weights / weights.sum()
    mean = share @ rows
    centred = rows - mean
    return mean, basis_of((centred * share[:, None]).T @ centred, count)


def basis_of(covariance: np.ndarray, count: int) -> np.ndarray:
    """The basis [D, count] of `principal_components` from the rows' [D, D] covariance."""
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1][:count], vectors[:, ::-1][:, :count]
    # eigh leaves the sign open; the largest entry is made positive so that the same data give the same basis.
    largest = np.abs(vectors).argmax(0)
    vectors = vectors * np.sign(vectors[largest, np.arange(vectors.shape[1])])
    basis = np.zeros((len(covariance), count))
    basis[:, : vectors.shape[1]] = vectors / np.sqrt(max(values.clip(0).sum() / count, 1e-12))
    return basis


def moment(x: np.ndarray, weights: np.ndarray, ridge: float) -> np.ndarray:
    """[K, K] weighted mean outer product of [n, K] centred inputs, with `ridge` times its mean diagonal added.

    Inputs that never move at all still give a matrix that can be solved.
    """
    return strengthened((x * weights[:, None]).T @ x / weights.sum(), ridge)


def strengthened(outer: np.ndarray, ridge: float) -> np.ndarray:
    """A mean outer product [K, K] with `ridge` times its mean diagonal added."""
    return outer + max(ridge * np.trace(outer) / len(outer), 1e-9) * np.eye(len(outer))


def ridge_regression(x: np.ndarray, y: np.ndarray, weights: np.ndarray, moment_x: np.ndarray) -> np.ndarray:
    """[K, C] weights of y = x W for centred [n, K] inputs and [n, C] targets, `moment_x` being `moment(x, ...)`."""
    return np.linalg.solve(moment_x, (x * weights[:, None]).T @ y / weights.sum())


def map_update(prior: np.ndarray, moment_x: np.ndarray, x: np.ndarray, y: np.ndarray, frames: float) -> np.ndarray:
    """[K, C] minimiser of |y - x W|^2 + frames * tr((W - prior)^T moment_x (W - prior)).

    The prior counts as `frames` frames of the corpus it was fitted on: 0 gives least squares on the person's own
    frames, infinity gives the prior. Solved in the person's n frames (n is small): W = prior + A x^T (x A x^T + I)^-1 r
    with A = moment_x^-1 / frames.
    """
    spread = np.linalg.solve(moment_x, x.T) / frames
    inner = x @ spread + np.eye(len(x))
    return prior + spread @ np.linalg.solve(inner, y - x @ prior)
