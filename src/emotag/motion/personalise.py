"""One person's own motion space and ridge, in closed form, from the five seconds of the adaptation part.

Order: mean and scale of the motion, then a gain per channel, then the MAP ridge around the prior (worth about 1000
frames, so that five seconds of lips adjust the prior and cannot replace it). What the network adds to the ridge is
left as it is and taken off the targets.
"""

import copy
from dataclasses import dataclass
from dataclasses import replace as replaced

import numpy as np
import torch

from emotag.motion import closed_form, statistics
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.skip import taps
from emotag.motion.statistics import MotionStatistics


@dataclass(frozen=True)
class Strength:
    """How far five seconds may move the prior. `map_frames`: frames of the corpus the prior ridge counts as;
    `gain_frames` the same for the gain, `gain_range` its limits; `amplitude` widens speech-driven channels, because a
    least-squares prediction is smaller than what it predicts (1.15 lies between least error and true amplitude)."""

    map_frames: float = 1000.0
    gain_frames: float = 125.0
    gain_range: tuple[float, float] = (0.5, 2.0)
    amplitude: float = 1.15


def personalise(
    network: GatedResidualMotionNetwork,
    motion: np.ndarray,
    speech: np.ndarray,
    prosody: np.ndarray,
    action_units: np.ndarray,
    identity: np.ndarray,
    upper: np.ndarray,
    strength: Strength = Strength(),
) -> GatedResidualMotionNetwork:
    """A copy of the prior `network` that speaks one person's motion space. The given network is not changed.

    Frames of the adaptation part: `motion` [T, C] in head units, `speech` [T, 16, D], `prosody` [T, 16, 3],
    `action_units` [T, 6] 0 to 5; `identity` [I]; `upper` [C] bool (`emotag.motion.channels.upper_face`).
    """
    person = copy.deepcopy(network).eval()
    own = statistics.of_person(motion, action_units, person.statistics().scale, upper)
    person.set_statistics(own)
    inputs = [torch.from_numpy(np.asarray(a, np.float32)) for a in (speech, prosody, action_units, identity)]
    with torch.inference_mode():
        output = person(*inputs)
        spoken = taps(person.space.components(inputs[0])).double().numpy()
    predicted = output.motion.double().numpy()
    scale = own.scale * gain(predicted, own.standardise(motion), strength)
    own = replaced(own, scale=scale)
    person.set_statistics(own)
    target = own.standardise(motion)
    skip = person.skip
    cues = own.cues(action_units)
    beyond_ridge = predicted - (spoken @ doubled(skip.speech_weight) + doubled(skip.speech_bias))
    beyond_ridge -= cues @ doubled(skip.cue_weight)
    if torch.count_nonzero(skip.speech_weight):
        fit_skip(person, spoken, cues, target - beyond_ridge, strength.map_frames, upper)
    widen(person, own, upper, strength.amplitude)
    return person


def gain(predicted: np.ndarray, target: np.ndarray, strength: Strength) -> np.ndarray:
    """[C] slope of the target on the prediction, shrunk to 1 by `gain_frames` frames, within its limits."""
    predicted = predicted - predicted.mean(0)
    power = (predicted**2).sum(0)
    shrink = strength.gain_frames * np.maximum(power / len(predicted), 1e-6)
    return np.clip(((predicted * target).sum(0) + shrink) / (power + shrink), *strength.gain_range)


def fit_skip(
    network: GatedResidualMotionNetwork,
    spoken: np.ndarray,
    cues: np.ndarray,
    target: np.ndarray,
    frames: float,
    upper: np.ndarray,
) -> None:
    """MAP update of both ridge paths; the bias makes the mean over the part right. Speech moves no upper channel and a
    cue no lower one, as in the prior."""
    skip = network.skip
    centre_x, centre_y, centre_u = spoken.mean(0), target.mean(0), cues.mean(0)
    speech_weight, cue_weight = doubled(skip.speech_weight), doubled(skip.cue_weight)
    x, y, u = spoken - centre_x, target - centre_y, cues - centre_u
    speech_moment, cue_moment = doubled(skip.speech_moment), doubled(skip.cue_moment)
    speech_weight[:, ~upper] = closed_form.map_update(speech_weight[:, ~upper], speech_moment, x, y[:, ~upper], frames)
    cue_weight[:, upper] = closed_form.map_update(cue_weight[:, upper], cue_moment, u, y[:, upper], frames)
    skip.speech_weight.copy_(torch.from_numpy(speech_weight))
    skip.cue_weight.copy_(torch.from_numpy(cue_weight))
    skip.speech_bias.copy_(torch.from_numpy(centre_y - centre_x @ speech_weight - centre_u @ cue_weight))


def widen(network: GatedResidualMotionNetwork, own: MotionStatistics, upper: np.ndarray, amplitude: float) -> None:
    """Widen speech-driven channels around the person's mean."""
    network.set_statistics(replaced(own, scale=own.scale * np.where(upper, 1.0, amplitude)))


def doubled(buffer: torch.Tensor) -> np.ndarray:
    """A buffer as float64 on numpy (a copy)."""
    return buffer.detach().cpu().numpy().astype(np.float64)
