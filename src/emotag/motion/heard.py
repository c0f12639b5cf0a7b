"""Emotion that is heard: how prosody differs from a calm recording of the same voice, to a strength of each class.

A closed form instead of a network: six directions in five measures of prosody, and how far calm voices scatter around theirs
(heard.json, fitted by `python -m emotag.bench heard` to the shipped emotional readings). Calm speech, and each class at levels
in thirds of an intensity, are Gaussians in those measures; a strength is what Bayes' rule expects of the level. Measures are of
a window of five seconds around the moment, quantiles rather than moments, because pitch trackers err by octaves.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from emotag.errors import FootageError
from emotag.motion.moods import slow
from emotag.types import EMOTIONS, FPS, NEUTRAL, TOKEN_RATE_HZ

MEASURES = ("pitch", "pitch_range", "level", "pitch_change", "level_change")
ACTED = tuple(name for name in EMOTIONS if name != EMOTIONS[NEUTRAL])
HALF_S = 2.5
TOKENS_A_FRAME = TOKEN_RATE_HZ // FPS
# Levels in intensity: real voices go beyond what is acted at level 3.
LEVELS = np.arange(1, 7) / 3
# Most speech is calm. Half of it strays three times as far as calm readings do, in any direction.
CALM_SHARE, STRAY_SHARE, STRAY = 0.75, 0.5, 3.0
# With less voice than this in its window a moment says less; with less than this in all a calm recording says too little.
VOICE_S, CALM_VOICE_S = 0.5, 1.0
# Frames at a time, for windows of an hour would not fit in memory.
CHUNK_FRAMES = 2000
# What is added before a logarithm: semitones, and the steps of a token in semitones and dB with the most that counts.
RANGE_ST, STEP_ST, STEP_DB, MOST_ST, MOST_DB = 0.5, 0.1, 0.3, 2.0, 10.0


@dataclass(frozen=True)
class Calm:
    """How a voice is when calm: `mean` [5] and `variance` [5] of its measures over windows, and the seconds of `voice`."""

    mean: np.ndarray
    variance: np.ndarray
    voice_s: float

    @classmethod
    def of(cls, prosody: np.ndarray) -> Self:
        """From prosody [K, 3] of a calm recording, moments by how much voice they have."""
        values, voice_s = measures(prosody)
        weights = (voice_s / max(voice_s.sum(), 1e-9))[:, None]
        mean = (weights * values).sum(0)
        return cls(mean, (weights * (values - mean) ** 2).sum(0), float(prosody[:, 1].sum()) / TOKEN_RATE_HZ)


@dataclass(frozen=True)
class Listener:
    """`directions` [6, 5]: where the measures go at intensity 1 of each class of `ACTED`; `covariance` [5, 5]: how far
    readings scatter around that."""

    directions: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of_document(cls, document: dict[str, Any]) -> Self:
        """From the content of heard.json."""
        return cls(np.array([document["directions"][name] for name in ACTED]), np.array(document["covariance"]))

    def document(self) -> dict[str, Any]:
        """In the form of heard.json."""
        directions = dict(zip(ACTED, np.round(self.directions, 4).tolist(), strict=True))
        return {
            "measures": list(MEASURES),
            "directions": directions,
            "covariance": np.round(self.covariance, 5).tolist(),
        }

    def strengths(self, prosody: np.ndarray, calm: Calm) -> np.ndarray:
        """Strength [T, 7] 0 to 1 of each class (neutral's is 0, the sum is at most 1) at 25 fps, from prosody [K, 3] at
        50 Hz: log F0, voiced, energy in dB. Nothing where there is no voice."""
        values, voice_s = measures(prosody)
        course = np.zeros((len(values), len(EMOTIONS)))
        known = np.minimum(voice_s / VOICE_S, 1.0)[:, None]
        course[:, [EMOTIONS.index(name) for name in ACTED]] = known * self.expected(values - calm.mean, calm.variance)
        return course

    def expected(self, shifts: np.ndarray, variance: np.ndarray) -> np.ndarray:
        """Expected intensity [T, 6] of each class of `ACTED`, at most 1, where the measures are off a calm voice's by `shifts`
        [T, 5], which itself scatters by `variance` [5]."""
        factor = np.linalg.cholesky(self.covariance + np.diag(variance))
        white = np.linalg.solve(factor, shifts.T).T
        places = np.linalg.solve(factor, self.directions.T).T[:, None] * LEVELS[:, None]
        acted = -0.5 * ((white[:, None, None] - places) ** 2).sum(3)
        acted += np.log((1 - CALM_SHARE) / (len(ACTED) * len(LEVELS)))
        near = -0.5 * (white**2).sum(1)
        stray = near / STRAY**2 - len(MEASURES) * np.log(STRAY)
        calm = np.log(CALM_SHARE) + np.logaddexp(near + np.log(1 - STRAY_SHARE), stray + np.log(STRAY_SHARE))
        most = np.maximum(acted.max((1, 2)), calm)
        odds = np.exp(acted - most[:, None, None])
        return (odds * np.minimum(LEVELS, 1.0)).sum(2) / (odds.sum((1, 2)) + np.exp(calm - most))[:, None]


def shipped() -> Listener:
    """The listener of heard.json."""
    return Listener.of_document(json.loads(Path(__file__).with_name("heard.json").read_text()))


def course(prosody: np.ndarray, calm_prosody: np.ndarray, frames: int) -> Tensor:
    """Strength [T, 7] of each class in the first `frames` of a recording with prosody [K, 3], as `emotag.motion.timeline` gives
    it of moods that are set, against a calm recording of the same voice. Without voice in it (`speech.prosody: none`)
    nothing is heard.

    Raises:
        FootageError: the calm recording has hardly any voice.
    """
    if not prosody[:, 1].any():
        return torch.zeros(frames, len(EMOTIONS))
    calm = Calm.of(calm_prosody)
    if calm.voice_s < CALM_VOICE_S:
        raise FootageError(
            f"calm recording of the voice: found {calm.voice_s:.1f} s of voice, expected at least {CALM_VOICE_S:g} s (ten "
            "are better); give a longer one"
        )
    found = shipped().strengths(prosody, calm)
    return slow(torch.from_numpy(found[np.minimum(np.arange(frames), len(found) - 1)]))


def fit(shifts: Sequence[np.ndarray], intensities: Sequence[np.ndarray], voice_s: Sequence[np.ndarray]) -> Listener:
    """Least squares in closed form: of each reading the measures' `shifts` [T, 5] from the calm one, the acted `intensities`
    [6] of `ACTED`, and the weights `voice_s` [T]."""
    inputs = np.concatenate([np.tile(acted, (len(s), 1)) for acted, s in zip(intensities, shifts, strict=True)])
    targets, weights = np.concatenate(shifts), np.concatenate(voice_s)[:, None]
    directions = np.linalg.solve(inputs.T @ (weights * inputs), inputs.T @ (weights * targets))
    left = targets - inputs @ directions
    return Listener(directions, left.T @ (weights * left) / weights.sum())


def measures(prosody: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[T, 5] of prosody [K, 3] every 40 ms, and the seconds of voice [T] in their windows (Hann, louder voice counts more).

    Median pitch in semitones, log of its range between deciles, median level in dB, logs of both's mean steps a token.
    """
    reach = round(HALF_S * TOKEN_RATE_HZ)
    hann = np.cos(np.pi * np.arange(-reach, reach + 1) / (2 * (reach + 1))) ** 2
    padded = np.pad(_tokens(prosody), ((reach, reach), (0, 0)))
    frames = -(-len(prosody) // TOKENS_A_FRAME)
    parts = []
    for first in range(0, frames, CHUNK_FRAMES):
        last = min(first + CHUNK_FRAMES, frames)
        tokens = padded[first * TOKENS_A_FRAME : (last - 1) * TOKENS_A_FRAME + 2 * reach + 1]
        windows = np.lib.stride_tricks.sliding_window_view(tokens, 2 * reach + 1, axis=0)[::TOKENS_A_FRAME]
        parts.append(_measured(windows.transpose(1, 0, 2), hann))
    if not parts:
        return np.zeros((0, len(MEASURES))), np.zeros(0)
    return np.concatenate([values for values, _ in parts]), np.concatenate([voice_s for _, voice_s in parts])


def _tokens(prosody: np.ndarray) -> np.ndarray:
    """[K, 7] pitch in semitones, level in dB, steps of both, amplitude where there is voice, that of steps, and voiced."""
    log_f0, voiced, level = prosody.astype(np.float64).T
    pitch = 12 / np.log(2) * log_f0
    amplitude = voiced * 10 ** (level / 20)
    before = np.concatenate([[0.0], amplitude[:-1]])
    steps = (np.abs(np.diff(values, prepend=values[:1])) for values in (pitch, level))
    pitch_step, level_step = (np.minimum(step, most) for step, most in zip(steps, (MOST_ST, MOST_DB), strict=True))
    return np.stack([pitch, level, pitch_step, level_step, amplitude, np.sqrt(amplitude * before), voiced], 1)


def _measured(windows: np.ndarray, hann: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`measures` of windows [7, T, W] of `_tokens`."""
    pitch, level, pitch_step, level_step, amplitude, amplitude_step, voiced = windows
    weights, step_weights = amplitude * hann, amplitude_step * hann
    low, middle, high = _quantiles(pitch, weights, (0.1, 0.5, 0.9))
    (loud,) = _quantiles(level, weights, (0.5,))
    total = np.maximum(step_weights.sum(1), 1e-12)
    change, level_change = ((step * step_weights).sum(1) / total for step in (pitch_step, level_step))
    logs = (np.log(high - low + RANGE_ST), np.log(change + STEP_ST), np.log(level_change + STEP_DB))
    values = np.stack([middle, logs[0], loud, logs[1], logs[2]], 1)
    voice_s = (voiced * hann).sum(1) / TOKEN_RATE_HZ
    return np.where(voice_s[:, None] > 0, values, 0.0), voice_s


def _quantiles(values: np.ndarray, weights: np.ndarray, shares: Sequence[float]) -> list[np.ndarray]:
    """Weighted quantiles [T] of each row of `values` [T, W]: the first value up to whose middle that share of weight lies."""
    order = np.argsort(values, axis=1, kind="stable")
    ranked, weight = (np.take_along_axis(array, order, 1) for array in (values, weights))
    reached = np.cumsum(weight, 1) - weight / 2
    total = weight.sum(1, keepdims=True)
    places = [(reached < share * total).sum(1).clip(0, values.shape[1] - 1) for share in shares]
    return [np.take_along_axis(ranked, place[:, None], 1)[:, 0] for place in places]
