"""Normal equations of a time series: one block a frame, couplings between frames, and shared unknowns.

Unknowns are P numbers for each of T frames and optionally S shared ones. Smoothness couples an unknown with itself one and
two frames on, so the matrix of the frames is banded (2 P above the diagonal) and its Cholesky factor costs T (2P)^2 a frame;
the shared unknowns are eliminated by their Schur complement.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve_banded, cholesky_banded


@dataclass(frozen=True)
class Coupling:
    """Weights [P] of squared first and second differences over time; `linked` [T - 1] bool says which neighbours are tied
    (a cut of the film unties two frames)."""

    first: np.ndarray
    second: np.ndarray
    linked: np.ndarray

    def gradient(self, x: np.ndarray) -> np.ndarray:
        """Half the gradient [T, P] of the sum of weighted squared differences at `x` [T, P]."""
        result = np.zeros_like(x)
        step, bend = self._differences(x)
        step, bend = self.first * step, self.second * bend
        result[1:] += step
        result[:-1] -= step
        result[2:] += bend
        result[1:-1] -= 2 * bend
        result[:-2] += bend
        return result

    def cost(self, x: np.ndarray) -> float:
        """Half the sum of weighted squared differences of `x` [T, P]."""
        step, bend = self._differences(x)
        return 0.5 * float((self.first * step**2).sum() + (self.second * bend**2).sum())

    def diagonals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The matrix's diagonal [T, P] and its couplings to the next frame [T - 1, P] and the one after [T - 2, P]."""
        first = self.linked[:, None] * self.first
        second = self._tied[:, None] * self.second
        diagonal = np.zeros((len(first) + 1, len(self.first)))
        diagonal[1:] += first
        diagonal[:-1] += first
        diagonal[2:] += second
        diagonal[1:-1] += 4 * second
        diagonal[:-2] += second
        one = -first
        one[1:] -= 2 * second
        one[:-1] -= 2 * second
        return diagonal, one, second

    @property
    def _tied(self) -> np.ndarray:
        """[T - 2] bool (empty under three frames): three frames in a row without a cut."""
        return self.linked[1:] & self.linked[:-1]

    def _differences(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        bend = np.diff(x, 2, axis=0) if len(x) > 2 else np.zeros((0, x.shape[1]))
        return self.linked[:, None] * np.diff(x, axis=0), self._tied[:, None] * bend


def solve(
    blocks: np.ndarray,
    gradient: np.ndarray,
    coupling: Coupling,
    free: np.ndarray,
    damping: float,
    shared: tuple[np.ndarray, np.ndarray, np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """One damped Newton step: frames' step [T, P] and the shared unknowns' step [S] (None without them).

    `blocks` [T, P, P] are the frames' own matrices, `gradient` [T, P] half the gradient, `free` [T, P] bool marks unknowns
    that may move, `damping` multiplies the diagonal (Marquardt). `shared` = (cross [T, P, S], matrix [S, S], gradient [S]).
    """
    frames, size = gradient.shape
    diagonal, one, two = coupling.diagonals()
    band = 2 * size if frames > 2 else size
    matrix = np.zeros((band + 1, frames, size))
    mask = free.astype(float)
    upper_i, upper_j = np.triu_indices(size)
    matrix[band + upper_i - upper_j, :, upper_j] = (blocks[:, upper_i, upper_j] * mask[:, upper_i] * mask[:, upper_j]).T
    matrix[band] += diagonal * mask
    matrix[band] += damping * matrix[band] + (1 - mask) + 1e-9
    if frames > 1:
        matrix[band - size, 1:] += one * mask[1:] * mask[:-1]
    if frames > 2:
        matrix[band - 2 * size, 2:] += two * mask[2:] * mask[:-2]
    factor = cholesky_banded(matrix.reshape(band + 1, -1), overwrite_ab=True, check_finite=False)
    right = -(gradient * mask).reshape(-1, 1)
    if shared is None:
        return cho_solve_banded((factor, False), right, check_finite=False).reshape(frames, size), None
    cross, inner, inner_gradient = shared
    cross = (cross * mask[..., None]).reshape(frames * size, -1)
    solved = cho_solve_banded((factor, False), np.concatenate([right, cross], 1), check_finite=False)
    schur = inner - cross.T @ solved[:, 1:]
    schur[np.diag_indices_from(schur)] += damping * np.diag(inner) + 1e-9
    shared_step = np.linalg.solve(schur, -inner_gradient - cross.T @ solved[:, 0])
    step = solved[:, 0] - solved[:, 1:] @ shared_step
    return step.reshape(frames, size), shared_step
