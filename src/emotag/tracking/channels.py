"""What the tracker believes about motion channels before it sees a frame: limits, rest, smoothness, exclusive pairs.

Channels are the head's expression units by their ARKit names, then jaw [3], left eye [3], right eye [3] in rad. FLAME's
coefficients have a sign and no names: they rest at 0 without the linear weight, and no pair of them excludes each other.
Smoothness is a time constant in frames: the first difference of a channel weighs (time constant)^2 times what the
landmarks say about it in a typical frame, so 0.3 leaves a channel as it is and 2 removes the detector's tremble.
"""

import re
from dataclasses import dataclass

import numpy as np

from emotag.head.base import HeadModel

# (pattern, time constant in frames); the first that matches counts. Lips and lids move fast and are seen well.
TIME_CONSTANTS = (
    (r"eyeBlink.*", 0.15),
    (r"(mouthClose|mouthPress.*|mouthRoll.*|mouthFunnel|mouthPucker)", 0.25),
    (r"(mouth.*|jaw.*|tongueOut)", 0.3),
    (r"eye(Wide|Squint|Look).*", 0.5),
    (r"(brow.*|cheek.*|noseSneer.*)", 0.9),
    (r"lower\d+", 0.3),
    (r"upper\d+", 0.5),
    (r".*", 0.5),
)
JAW_TIME_CONSTANT, EYES_TIME_CONSTANT = 0.3, 0.3
EXCLUSIVE = (
    ("mouthLeft", "mouthRight"),
    ("mouthSmileLeft", "mouthFrownLeft"),
    ("mouthSmileRight", "mouthFrownRight"),
    ("mouthSmileLeft", "mouthPucker"),
    ("mouthSmileRight", "mouthPucker"),
    ("mouthStretchLeft", "mouthPucker"),
    ("mouthStretchRight", "mouthPucker"),
    ("mouthDimpleLeft", "mouthPucker"),
    ("mouthDimpleRight", "mouthPucker"),
    ("mouthRollUpper", "mouthFunnel"),
    ("mouthRollLower", "mouthFunnel"),
    ("mouthRollUpper", "mouthUpperUpLeft"),
    ("mouthRollUpper", "mouthUpperUpRight"),
    ("mouthRollLower", "mouthLowerDownLeft"),
    ("mouthRollLower", "mouthLowerDownRight"),
    ("mouthPressLeft", "mouthLowerDownLeft"),
    ("mouthPressRight", "mouthLowerDownRight"),
    ("eyeBlinkLeft", "eyeWideLeft"),
    ("eyeBlinkRight", "eyeWideRight"),
    ("browDownLeft", "browOuterUpLeft"),
    ("browDownRight", "browOuterUpRight"),
    ("browDownLeft", "browInnerUp"),
    ("browDownRight", "browInnerUp"),
)
# No landmark shows these; they would only take up what other channels leave.
UNSEEN = ("tongueOut", "cheekPuff")
# Seldom held for long, and strong enough to bend the face's form: they need more evidence than the rest.
RELUCTANT, RELUCTANCE = r"(noseSneer.*|jawForward|cheek.*|mouthShrug.*|browDown.*|eyeSquint.*)", 5.0
PAIR_WEIGHT = 30.0
JAW_PITCH, JAW_YAW = (-0.05, 0.6), (-0.25, 0.25)
EYE_LIMIT = 0.6


@dataclass(frozen=True)
class Channels:
    """Priors per channel [M]: `lower`, `upper` limits, `rest` value, squared (`l2`) and linear (`l1`) weight of the
    deviation from rest, `time_constants` in frames, and `pairs` [K, 2] of channels that exclude each other."""

    lower: np.ndarray
    upper: np.ndarray
    rest: np.ndarray
    l2: np.ndarray
    l1: np.ndarray
    time_constants: np.ndarray
    pairs: np.ndarray
    pair_weight: float

    def cost(self, motion: np.ndarray) -> float:
        """Prior's cost of `motion` [T, M]."""
        away = motion - self.rest
        value = 0.5 * (self.l2 * away**2).sum() + (self.l1 * np.abs(away)).sum()
        return float(value + self.pair_weight * (motion[:, self.pairs[:, 0]] * motion[:, self.pairs[:, 1]]).sum())

    def add_to(self, motion: np.ndarray, blocks: np.ndarray, gradient: np.ndarray) -> None:
        """Add the prior's matrix and gradient at `motion` [T, M] to `blocks` [T, M, M] and `gradient` [T, M]."""
        away = motion - self.rest
        gradient += self.l2 * away + self.l1 * np.sign(away)
        index = np.arange(motion.shape[1])
        blocks[:, index, index] += self.l2
        # Only the gradient of a product: its own matrix is indefinite and would spoil the Newton step.
        for a, b in self.pairs:
            gradient[:, a] += self.pair_weight * motion[:, b]
            gradient[:, b] += self.pair_weight * motion[:, a]


def channels_of(head: HeadModel, strength: float = 1.0) -> Channels:
    """Priors of the head's channels (expression, jaw, left eye, right eye); `strength` scales all their weights."""
    names = list(head.expression_names)
    units = len(names)
    least, most = (limit.double().cpu().numpy() for limit in head.expression_limits)
    lower = np.concatenate([least, [JAW_PITCH[0], JAW_YAW[0], 0], -np.full(6, EYE_LIMIT)])
    upper = np.concatenate([most, [JAW_PITCH[1], JAW_YAW[1], 0], np.full(6, EYE_LIMIT)])
    for name in set(UNSEEN) & set(names):
        upper[names.index(name)] = 0.0
    factor = np.array([RELUCTANCE if re.fullmatch(RELUCTANT, name) else 1.0 for name in names])
    # Half a range is to FLAME's coefficients what 1 is to a unit.
    signed = least < 0
    unit = np.where(signed, (most - least) / 2, most - least)
    l2 = np.concatenate([2.0 * factor / unit**2, [2.0, 20.0, 1.0], np.full(6, 2.0)]) * strength
    l1 = np.concatenate([0.6 * factor * ~signed, np.zeros(9)]) * strength
    times = [next(seconds for pattern, seconds in TIME_CONSTANTS if re.fullmatch(pattern, name)) for name in names]
    times = np.array(times + [JAW_TIME_CONSTANT] * 3 + [EYES_TIME_CONSTANT] * 6)
    pairs = [(names.index(a), names.index(b)) for a, b in EXCLUSIVE if a in names and b in names]
    pairs = np.array(pairs, dtype=int).reshape(-1, 2)
    return Channels(lower, upper, np.zeros(units + 9), l2, l1, times, pairs, PAIR_WEIGHT * strength)
