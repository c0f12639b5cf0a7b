"""The numbers of `emotag.synthetic.visemes`, fitted to real lips (`python -m emotag.bench targets`).

Phones of real recordings are not known well enough to read targets off them. Instead a ridge is learnt on synthetic voices,
from speech features to the regressors of the visemes (how much each phone dominates, pitch); on real clips it says what
these regressors are, as far as speech features tell; and the table is the regularised least-squares map from them to the
measured lips, standardised per clip. So few numbers, pooled over people, hold no person, and they are fitted for what the
prior makes of them. Whoever measures on a person's clip leaves this person out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from emotag.motion import closed_form
from emotag.motion.ridge import Pair, Ridge, standardise
from emotag.synthetic.visemes import MEASURES, Phones, pitch_course, regressors
from emotag.types import FPS

# Penalties over the mean variance of the inputs: of the ridge to the regressors, and of the table.
RIDGE, PENALTY = 1.0, 0.05
MAX_FRAMES = 10.0 * FPS  # no clip counts for more than ten seconds


@dataclass(frozen=True)
class Spoken:
    """A voice: `features` [K, D], `log_f0` [K] and `voiced` [K] at 50 Hz, and its `phones`."""

    features: np.ndarray
    log_f0: np.ndarray
    voiced: np.ndarray
    phones: Phones


@dataclass(frozen=True)
class SeenLips:
    """A real clip: speech `features` [K, D] at 50 Hz, `lips` [T, 4] measured at `times_s` [T] of the sound."""

    features: np.ndarray
    times_s: np.ndarray
    lips: np.ndarray


def fit(voices: Sequence[Spoken], clips: Sequence[SeenLips], names: Sequence[str]) -> np.ndarray:
    """[2 N + 1, 4] map from `regressors` of the symbols `names` [N] to lip measures, of deviation 1 over the `voices`."""
    pairs = []
    for voice in voices:
        times = np.arange(int(voice.phones[-1][1] * FPS)) / FPS
        pitch = pitch_course(voice.log_f0, voice.voiced, times)
        pairs.append(Pair(voice.features, times, regressors(voice.phones, times, pitch, names)))
    heard = Ridge.fit(pairs, ridge=RIDGE, max_frames=np.inf)
    inputs = [heard.predict(clip.features, clip.times_s) for clip in clips]
    x = np.concatenate([rows - rows.mean(0) for rows in inputs])
    y = np.concatenate([standardise(clip.lips) for clip in clips])
    weights = np.concatenate([np.full(len(rows), min(1.0, MAX_FRAMES / len(rows))) for rows in inputs])
    table = closed_form.ridge_regression(x, y, weights, closed_form.moment(x, weights, PENALTY))
    asked = np.concatenate([pair.targets for pair in pairs]) @ table
    # Both dominances sum to 1: the mean is shared between them.
    table[:-1] -= asked.mean(0) / 2
    return table / asked.std(0)


def document(table: np.ndarray, names: Sequence[str]) -> dict[str, Any]:
    """The table in the form of visemes.json."""
    count, rounded = len(names), np.round(table, 3).tolist()
    phones = {name: {"near": rounded[i], "wide": rounded[count + i]} for i, name in enumerate(names)}
    return {"measures": list(MEASURES), "phones": phones, "pitch": rounded[-1]}
