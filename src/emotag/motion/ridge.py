"""A linear map from windows of speech features to standardised targets, in closed form.

Features are projected on principal components and sampled at 7 moments 40 ms apart; the map is a ridge regression
whose penalty is a share of the inputs' mean variance. No clip counts for more than 10 s. A person's own seconds update
it as a maximum a posteriori estimate around the prior.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from emotag.audio import windows
from emotag.motion.closed_form import map_update, moment, principal_components, ridge_regression

TAPS = 7
STEP_S = 0.04


@dataclass(frozen=True)
class Pair:
    """One clip: `features` [K, D] at 50 Hz, and `targets` [T, C] at the moments `times_s` [T] of the audio clock."""

    features: np.ndarray
    times_s: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Ridge:
    """`mean` [D] and `basis` [D, P] of the features, `weights` [7 P, C] and `bias` [C] of the map, and `moment`
    [7 P, 7 P], the mean outer product of the training inputs with the penalty added: the strength of this prior."""

    mean: np.ndarray
    basis: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    moment: np.ndarray

    @classmethod
    def fit(cls, pairs: Sequence[Pair], components: int = 96, ridge: float = 0.3, max_frames: float = 250.0) -> "Ridge":
        """Fit on several clips. Targets are standardised by the caller, per person (see `standardise`).

        `ridge` is the penalty over the inputs' mean variance; `max_frames` what a clip may count for.
        """
        counts = [np.full(len(p.targets), min(1.0, max_frames / len(p.targets))) for p in pairs]
        share = np.concatenate(counts)
        spoken = np.concatenate([windows.sample(p.features, p.times_s)[:, 0] for p in pairs])
        mean, basis = principal_components(spoken, share, components)
        space = cls(mean, basis, np.empty(0), np.empty(0), np.empty(0))
        inputs = np.concatenate([space.inputs(p.features, p.times_s) for p in pairs])
        targets = np.concatenate([p.targets for p in pairs]).astype(np.float64)
        centre, bias = share @ inputs / share.sum(), share @ targets / share.sum()
        inputs -= centre
        strength = moment(inputs, share, ridge)
        weights = ridge_regression(inputs, targets - bias, share, strength)
        return cls(mean, basis, weights, bias - centre @ weights, strength)

    def inputs(self, features: np.ndarray, times_s: np.ndarray) -> np.ndarray:
        """[T, 7 P] windows of principal components of [K, D] features around `times_s` [T]."""
        components = (features.astype(np.float64) - self.mean) @ self.basis
        return windows.sample(components, times_s, TAPS, STEP_S).reshape(len(times_s), -1)

    def predict(self, features: np.ndarray, times_s: np.ndarray) -> np.ndarray:
        """[T, C] standardised targets from [K, D] features at `times_s` [T]."""
        return self.inputs(features, times_s) @ self.weights + self.bias

    def adapt(self, pair: Pair, frames: float = 1000.0, columns: Sequence[int] | None = None) -> "Ridge":
        """The maximum a posteriori map after one person's seconds, this prior counting as `frames` frames.

        `pair.targets` [T, C] are standardised on the same seconds. `columns` are the targets whose weights move
        (default all); the bias of every column is refitted.
        """
        inputs = self.inputs(pair.features, pair.times_s)
        centre, mean = inputs.mean(0), pair.targets.mean(0)
        moved = slice(None) if columns is None else list(columns)
        weights = self.weights.copy()
        targets = (pair.targets - mean)[:, moved]
        weights[:, moved] = map_update(self.weights[:, moved], self.moment, inputs - centre, targets, frames)
        return Ridge(self.mean, self.basis, weights, mean - centre @ weights, self.moment)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As float32 arrays by name."""
        return {name: array.astype(np.float32) for name, array in asdict(self).items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> "Ridge":
        """The inverse of `to_arrays`."""
        return cls(**{name: array.astype(np.float64) for name, array in arrays.items()})


def standardise(targets: np.ndarray) -> np.ndarray:
    """[T, C] with each column's mean taken away and divided by its deviation (a constant column becomes 0)."""
    deviation = targets.std(0)
    return (targets - targets.mean(0)) / np.where(deviation > 1e-9, deviation, 1.0)
