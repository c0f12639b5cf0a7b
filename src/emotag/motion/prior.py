"""The closed-form prior of a corpus: input standardisation, pooled motion space and the ridge paths.

All of it is of sums over clips, which are read a minute at a time: memory does not grow with the corpus.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from emotag.artifacts import Array, Corpus
from emotag.motion import closed_form, moments
from emotag.motion.examples import Clip, Example, blocks
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.skip import taps
from emotag.motion.statistics import MotionStatistics
from emotag.types import FPS, TOKEN_RATE_HZ

MAX_FRAMES = 10 * FPS  # no clip counts for more than ten seconds
BLOCK_ROWS = 60 * TOKEN_RATE_HZ
RIDGE = 1.0  # times the mean diagonal: 0.1 to 1 are equally good among real clips, 1 is best from synthetic to real


def clip_weight(length: int) -> float:
    """How much a frame (or token) of a clip counts, such that the clip counts for ten seconds at most."""
    return min(1.0, MAX_FRAMES / length)


def blocks_of(columns: Mapping[str, Array], clips: Sequence[str]) -> Iterator[tuple[np.ndarray, str]]:
    """Rows of a column of a corpus in float64, a block at a time, and the clip that they are of."""
    for clip in clips:
        for start in range(0, len(columns[clip]), BLOCK_ROWS):
            yield np.asarray(columns[clip][start : start + BLOCK_ROWS], np.float64), clip


def fit_inputs(network: GatedResidualMotionNetwork, corpus: Corpus, clips: Sequence[str]) -> None:
    """Principal components of the speech features, statistics of prosody and identity."""
    space, count = network.space, network.architecture.components

    def features() -> moments.Blocks:
        return ((rows, clip_weight(len(corpus.features[clip]))) for rows, clip in blocks_of(corpus.features, clips))

    def prosody(*columns: int, voiced: bool) -> tuple[np.ndarray, np.ndarray]:
        def blocks() -> moments.Blocks:
            for rows, _ in blocks_of(corpus.prosody, clips):
                yield (rows[rows[:, 1] > 0.5] if voiced else rows)[:, columns], 1.0

        return moments.spread(blocks)

    mean = moments.mean(features())
    covariance = moments.outer((rows - mean, rows - mean, weight) for rows, weight in features())
    pitch, pitch_scale = prosody(0, voiced=True)
    others, others_scale = prosody(1, 2, voiced=False)
    identity, deviation = moments.spread(lambda: ((np.asarray(corpus.identity[clip])[None], 1.0) for clip in clips))
    values = {
        "mean": mean,
        "basis": closed_form.basis_of(covariance, count),
        "prosody_mean": [*pitch, *others],
        "prosody_scale": np.maximum([*pitch_scale, *others_scale], 1e-3),
        "identity_mean": identity,
        "identity_scale": np.full(len(identity), identity_scale(identity, deviation)),
    }
    for name, value in values.items():
        getattr(space, name).copy_(torch.from_numpy(np.asarray(value, np.float32)))


def identity_scale(mean: np.ndarray, deviation: np.ndarray) -> float:
    """One scale for all directions of identity features, of `mean` [I] and `deviation` [I] over people, because few people span
    few directions and one that nobody showed must not be blown up: their spread; of one person alone, who has none, the size
    of the feature itself."""
    spread = float(np.sqrt(np.square(deviation).mean()))
    return spread if spread > 1e-6 else float(np.sqrt(np.square(mean).mean())) or 1.0


@dataclass
class Paths:
    """Sums over frames that the ridge paths are solved from: of `speech` taps, of `cues`, and of each with the `target`."""

    weight: float = 0.0
    speech_mean: np.ndarray | float = 0.0
    speech: np.ndarray | float = 0.0
    speech_target: np.ndarray | float = 0.0
    cues: np.ndarray | float = 0.0
    cues_target: np.ndarray | float = 0.0

    def add(self, clip: Clip) -> None:
        """All frames of a clip around their means over the clip, read twice, a minute at a time."""
        share = clip_weight(len(clip))
        means = [moments.mean((rows[i], 1.0) for rows in map(columns_of, blocks(clip))) for i in range(3)]
        self.weight += share * len(clip)
        self.speech_mean = self.speech_mean + share * len(clip) * means[0]
        for run in blocks(clip):
            x, u, y = (rows - mean for rows, mean in zip(columns_of(run), means, strict=True))
            self.speech = self.speech + (share * x).T @ x
            self.speech_target = self.speech_target + (share * x).T @ y
            self.cues = self.cues + (share * u).T @ u
            self.cues_target = self.cues_target + (share * u).T @ y


def columns_of(run: Example) -> tuple[np.ndarray, ...]:
    """Taps of the speech, cues and target of a run of frames, in float64."""
    return tuple(rows.double().numpy() for rows in (taps(run.components), run.cues, run.target))


def fit_ridge(network: GatedResidualMotionNetwork, clips: Sequence[Clip], upper: np.ndarray) -> None:
    """Both ridge paths from standardised clips: speech to lower face, cues to upper face; centred per clip."""
    sums = Paths()
    for clip in clips:
        sums.add(clip)
    speech_moment = closed_form.strengthened(sums.speech / sums.weight, RIDGE)
    # Cues are few and nearly free of noise: only enough to keep a cue nobody used solvable.
    cue_moment = closed_form.strengthened(sums.cues / sums.weight, 1e-3)
    speech_weight = np.linalg.solve(speech_moment, sums.speech_target / sums.weight) * ~upper
    cue_weight = np.linalg.solve(cue_moment, sums.cues_target / sums.weight) * upper
    values = {
        "speech_weight": speech_weight,
        "speech_bias": -(sums.speech_mean / sums.weight) @ speech_weight,
        "cue_weight": cue_weight,
        "speech_moment": speech_moment,
        "cue_moment": cue_moment,
    }
    for name, value in values.items():
        getattr(network.skip, name).copy_(torch.from_numpy(value))


def pooled_statistics(pooled: np.ndarray, people: Mapping[str, MotionStatistics]) -> MotionStatistics:
    """The motion space of nobody in particular: mean of the people's means, pooled scale."""
    own = list(people.values())
    return MotionStatistics(
        np.mean([person.mean for person in own], 0), pooled, np.mean([person.cue_mean for person in own], 0)
    )
