"""Phones of any recording: a linear classifier of speech features, and the likeliest course of phones under it.

The classifier is a linear discriminant (Gaussians of one shared covariance) over principal components of the features at
5 moments 20 ms apart, learnt on the shipped voices, whose phone times are exact. A hidden Markov model over phones with
a shortest duration and the voices' own bigrams turns its likelihoods into segments (Viterbi). With a transcript's phones
the course is bound to their order (forced alignment).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emotag.audio import windows
from emotag.motion.closed_form import principal_components
from emotag.synthetic.visemes import Phones
from emotag.types import TOKEN_RATE_HZ

COMPONENTS, TAPS, STEP_S = 96, 5, 0.02
# Shrinkage of the covariance towards its mean variance; scale of likelihoods (frames are not independent).
SHRINKAGE, ACOUSTIC_SCALE = 0.02, 0.25
# States a phone passes through: it lasts at least two tokens of 20 ms.
STATES = 2
STAY = 0.6
BIGRAM_COUNT = 0.5


@dataclass(frozen=True)
class PhoneModel:
    """`names` [P]; `mean` [D] and `basis` [D, C] of the features, `weights` [5 C, P] and `bias` [P] of the log-likelihoods
    (up to a constant a moment), `bigram` [P, P] log-probability of the next phone."""

    names: list[str]
    mean: np.ndarray
    basis: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    bigram: np.ndarray

    @classmethod
    def fit(cls, spoken: Sequence[tuple[np.ndarray, Phones]]) -> "PhoneModel":
        """From features [K, D] and phones of several voices."""
        names = sorted({phone for _, phones in spoken for _, _, phone in phones})
        features = np.concatenate([features for features, _ in spoken]).astype(np.float64)
        mean, basis = principal_components(features, np.ones(len(features)), COMPONENTS)
        space = cls(names, mean, basis, np.empty(0), np.empty(0), np.empty(0))
        inputs = np.concatenate([space.inputs(features) for features, _ in spoken])
        labels = np.concatenate([labels_at(phones, len(features), names) for features, phones in spoken])
        means = np.stack([inputs[labels == index].mean(0) for index in range(len(names))])
        within = inputs - means[labels]
        covariance = within.T @ within / len(inputs)
        covariance += SHRINKAGE * np.trace(covariance) / len(covariance) * np.eye(len(covariance))
        weights = np.linalg.solve(covariance, means.T)
        bias = -0.5 * (means * weights.T).sum(1)
        return cls(names, mean, basis, weights, bias, _bigram(spoken, names))

    def to_arrays(self) -> dict[str, np.ndarray]:
        """As float32 arrays by name."""
        names = ("mean", "basis", "weights", "bias", "bigram")
        return {name: getattr(self, name).astype(np.float32) for name in names}

    @classmethod
    def from_arrays(cls, names: list[str], arrays: dict[str, np.ndarray]) -> "PhoneModel":
        """The inverse of `to_arrays`."""
        return cls(names, **{name: array.astype(np.float64) for name, array in arrays.items()})

    def inputs(self, features: np.ndarray) -> np.ndarray:
        """Windows [K, 5 C] of principal components of [K, D] features around each token's middle."""
        components = (features.astype(np.float64) - self.mean) @ self.basis
        times = np.arange(len(features)) / TOKEN_RATE_HZ
        return windows.sample(components, times, TAPS, STEP_S).reshape(len(times), -1)

    def likelihoods(self, features: np.ndarray) -> np.ndarray:
        """Scaled log-likelihoods [K, P], normalised over phones."""
        raw = ACOUSTIC_SCALE * (self.inputs(features) @ self.weights + self.bias)
        raw -= raw.max(1, keepdims=True)
        return raw - np.log(np.exp(raw).sum(1, keepdims=True))

    def decode(self, features: np.ndarray) -> list[tuple[float, float, str]]:
        """Phones (start s, end s, name) of [K, D] features, without a transcript."""
        count = len(self.names)
        emission = np.repeat(self.likelihoods(features), STATES, axis=1)
        transition = np.full((count * STATES, count * STATES), -np.inf)
        first, last = np.arange(count) * STATES, np.arange(count) * STATES + STATES - 1
        for state in range(STATES - 1):
            transition[first + state, first + state + 1] = 0.0
        transition[last, last] = np.log(STAY)
        transition[np.ix_(last, first)] = np.log(1 - STAY) + self.bigram
        start = np.full(count * STATES, -np.inf)
        start[first] = 0.0
        path = viterbi(emission, transition, start) // STATES
        return segments([self.names[index] for index in path])

    def align(self, features: np.ndarray, phones: Sequence[str]) -> list[tuple[float, float, str]]:
        """The given `phones` in their order, placed in [K, D] features; silence may stand before, after and between them."""
        order = ["SIL"]
        for phone in phones:
            order += [phone, "SIL"]
        index = np.array([self.names.index(phone) for phone in order])
        path = in_order(self.likelihoods(features)[:, index])
        return segments([order[state] for state in path], path)


def in_order(emission: np.ndarray) -> np.ndarray:
    """Likeliest states [K] of a course that may stay, go on, or leap over the silence between two phones.

    `emission` [K, S] log-probabilities of silence, phone, silence, phone, …, silence. It begins in one of the first two
    states and ends in one of the last two.
    """
    length, count = emission.shape
    leap = np.where((np.arange(count) % 2 == 1) & (np.arange(count) >= 3), np.log((1 - STAY) / 2), -np.inf)
    best = np.where(np.arange(count) < 2, emission[0], -np.inf)
    back = np.zeros((length, count), np.int8)
    nothing = np.full(2, -np.inf)
    for k in range(1, length):
        before = np.concatenate([nothing, best])
        arriving = np.stack([best + np.log(STAY), before[1:-1] + np.log((1 - STAY) / 2), before[:-2] + leap])
        back[k] = arriving.argmax(0)
        best = arriving.max(0) + emission[k]
    state = count - 2 + int(best[-2:].argmax())
    path = np.empty(length, np.int64)
    for k in range(length - 1, -1, -1):
        path[k] = state
        state -= int(back[k, state])
    return path


def viterbi(emission: np.ndarray, transition: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Likeliest states [K] under log-probabilities: `emission` [K, S], `transition` [S, S] from row to column."""
    length, count = emission.shape
    best, back = start + emission[0], np.zeros((length, count), np.int32)
    for k in range(1, length):
        arriving = best[:, None] + transition
        back[k] = arriving.argmax(0)
        best = arriving[back[k], np.arange(count)] + emission[k]
    state = int(best.argmax())
    path = np.empty(length, np.int64)
    for k in range(length - 1, -1, -1):
        path[k] = state
        state = int(back[k, state])
    return path


def segments(names: Sequence[str], states: np.ndarray | None = None) -> list[tuple[float, float, str]]:
    """Runs of equal `names` [K] (of equal `states` [K], where given) at 50 Hz as (start s, end s, name)."""
    keys = np.unique(names, return_inverse=True)[1] if states is None else np.asarray(states)
    edges = [0, *(np.flatnonzero(np.diff(keys)) + 1), len(keys)]
    # Token k stands for the moment k / 50 s: its stretch begins half a token before.
    times = (np.array(edges) - 0.5) / TOKEN_RATE_HZ
    times[0] = 0.0
    return [(float(a), float(b), str(names[first])) for a, b, first in zip(times, times[1:], edges, strict=False)]


def labels_at(phones: Phones, tokens: int, names: Sequence[str]) -> np.ndarray:
    """Index into `names` [K] of the phone at each token's moment."""
    ends = np.array([end for _, end, _ in phones])
    place = np.minimum(np.searchsorted(ends, np.arange(tokens) / TOKEN_RATE_HZ, side="right"), len(phones) - 1)
    index = np.array([names.index(phone) if phone in names else -1 for _, _, phone in phones])
    return index[place]


def _bigram(spoken: Sequence[tuple[np.ndarray, Phones]], names: list[str]) -> np.ndarray:
    counts = np.full((len(names), len(names)), BIGRAM_COUNT)
    for _, phones in spoken:
        order = [names.index(phone) for _, _, phone in phones]
        np.add.at(counts, (order[:-1], order[1:]), 1.0)
    np.fill_diagonal(counts, BIGRAM_COUNT)
    return np.log(counts / counts.sum(1, keepdims=True))
