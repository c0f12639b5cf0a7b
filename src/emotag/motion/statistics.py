"""Motion space: each person's motion, centred on their own mean and scaled, so that people can share one network.

Lower-face channels are scaled by the person's own deviation, shrunk towards the pooled one as five seconds are few.
Upper-face channels keep the pooled scale: the action units that drive them are absolute, and a person who does not
blink in the adaptation part will blink later.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from torch import Tensor

from emotag.artifacts import Array

Values = TypeVar("Values", np.ndarray, Tensor)
FLOOR = 1e-3  # of an expression unit, or rad: a channel that moves less does not move
AU_RANGE = 5.0


@dataclass(frozen=True)
class MotionStatistics:
    """`mean` [C] and `scale` [C] of the motion, `cue_mean` [6] of the action units divided by 5."""

    mean: np.ndarray
    scale: np.ndarray
    cue_mean: np.ndarray

    def standardise(self, motion: np.ndarray) -> np.ndarray:
        """[T, C] in head units to [T, C] without units."""
        return (motion - self.mean) / self.scale

    def restore(self, standardised: np.ndarray) -> np.ndarray:
        """The inverse of `standardise`."""
        return standardised * self.scale + self.mean

    def cues(self, action_units: np.ndarray) -> np.ndarray:
        """`cues_of` this person."""
        return cues_of(action_units, self.cue_mean)


def cues_of(action_units: Values, cue_mean: Values) -> Values:
    """[T, 6] intensities 0 to 5 to cues around the person's mean [6], in shares of the full intensity."""
    return action_units / AU_RANGE - cue_mean


def pooled_scale(motions: Iterable[np.ndarray], max_frames: int = 250) -> np.ndarray:
    """[C] root of the mean within-clip variance, no clip counting for more than `max_frames` frames (10 s)."""
    found = [(min(len(motion), max_frames), motion.var(0)) for motion in motions]
    weights = np.array([count for count, _ in found], np.float64)
    variances = np.stack([variance for _, variance in found])
    return np.maximum(np.sqrt((weights[:, None] * variances).sum(0) / weights.sum()), FLOOR)


def of_person(
    motion: np.ndarray, action_units: np.ndarray, pooled: np.ndarray, upper: np.ndarray, prior_frames: float = 25.0
) -> MotionStatistics:
    """Statistics of one person from [T, C] motion and [T, 6] action units (0 to 5).

    `pooled` [C] is the corpus' scale, which counts as `prior_frames` frames against the person's own T; `upper` [C]
    marks the channels that keep it altogether.
    """
    return of_moments(len(motion), motion.mean(0), motion.var(0), action_units.mean(0), pooled, upper, prior_frames)


def of_moments(
    count: int,
    mean: np.ndarray,
    variance: np.ndarray,
    cue_mean: np.ndarray,
    pooled: np.ndarray,
    upper: np.ndarray,
    prior_frames: float = 25.0,
) -> MotionStatistics:
    """`of_person` from the `mean` and `variance` [C] of `count` frames of motion and the mean of the action units [6]."""
    own = np.sqrt((count * variance + prior_frames * pooled**2) / (count + prior_frames))
    scale = np.maximum(np.where(upper, pooled, own), FLOOR)
    return MotionStatistics(mean, scale, cue_mean / AU_RANGE)


def of_people(
    motion: Mapping[str, Array], action_units: Mapping[str, Array], people: Mapping[str, str], upper: np.ndarray
) -> tuple[np.ndarray, dict[str, MotionStatistics]]:
    """Pooled scale [C] and the statistics of each person, over all of their clips (mappings by clip, a clip read at a time)."""
    clips = sorted(motion)
    pooled = pooled_scale(np.asarray(motion[clip]) for clip in clips)
    statistics = {}
    for person in sorted(set(people[clip] for clip in clips)):
        own = [clip for clip in clips if people[clip] == person]
        count = sum(len(motion[clip]) for clip in own)
        mean, variance = moments_of((motion[clip] for clip in own), count)
        cue_mean, _ = moments_of((action_units[clip] for clip in own), sum(len(action_units[clip]) for clip in own))
        statistics[person] = of_moments(count, mean, variance, cue_mean, pooled, upper)
    return pooled, statistics


def moments_of(arrays: Iterable[Array], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance [C] of the `count` rows of several arrays, in their type: Chan, Golub and LeVeque (1983), Eq. 2.1."""
    found = [(len(values), values.mean(0), values.var(0)) for values in map(np.asarray, arrays)]
    mean = sum(frames / count * own for frames, own, _ in found)
    variance = sum(frames / count * (own + (middle - mean) ** 2) for frames, middle, own in found)
    return mean, variance
