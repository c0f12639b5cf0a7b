"""One person's own motion space and ridge, in closed form, from the five seconds of the adaptation part.

Trackers spread a lip movement over many expression units, each person's and each corpus' a little differently, so units
cannot be adapted one by one: each would be predicted badly and shrink. What does transfer is the movement of the lips
itself: aperture, width, protrusion and jaw. Hence, for the lower face:
1. the prior's ridge is read as a map from speech to the four measures (through their Jacobian);
2. each measure gets the person's gain and a MAP update around the prior (worth about 1000 frames, so that five seconds
   of lips adjust the prior and cannot replace it);
3. a regression on the same frames says how this person's units move when the measures do.
Beside the ridge a network hears the same measures (`emotag.motion.articulation`), better in synthetic voices and worse in most
others; in 2 the two are mixed in the share that the same frames make likely.
The upper face keeps its path from the cues, MAP-updated; as these say what it does, the residual stays out of it, unless an
emotion is set. What the network adds to the ridge is left as it is, but for this
person's aperture and jaw (emotion shapes the lips, how far they open is the speech's: `without_opening`), and that the
adaptation part is taken for calm.
"""

import copy
import logging
from dataclasses import dataclass
from dataclasses import replace as replaced

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d

from emotag.motion import closed_form, statistics
from emotag.motion.articulation import shut, sizes_of
from emotag.motion.grmn import GatedResidualMotionNetwork, load
from emotag.motion.moods import slow
from emotag.motion.skip import taps
from emotag.tracking import lip_measures, sync

log = logging.getLogger(__name__)

OPENING = (0, 3)  # of the lip measures: aperture and jaw
# Measures that have a say in whose lips these are, as in when they speak.
JUDGED = [lip_measures.MEASURES.index(name) for name in sync.JUDGED]
# Shares of the articulation that are compared, on what is quicker than about half a second, because what both miss is slow
# (moods); there a frame counts for itself. People are the ridge's until they show otherwise, by so many nats (chosen on the
# real and synthetic clips of docs/results).
SHARES = np.linspace(0.0, 1.0, 5)
SLOW_FRAMES = 6.0
DOUBT = 6.0


@dataclass(frozen=True)
class Strength:
    """How far five seconds may move the prior, in frames of the corpus that the prior counts as: `map_frames` for both
    ridges, `gain_frames` for the gains (within `gain_range`), `unit_frames` for how units follow the measures.

    The gains are held tightly: on 24 parts of five seconds of 12 people the slope found inside a part says next to nothing
    of the slope on later frames (correlation 0.1 for the aperture); 200 frames give the lip distance that 50 give, and
    a fifth more motion where the part is a poor sample. `amplitude` widens speech-driven channels, because a least-squares
    prediction is smaller than what it predicts; the lip distance hardly changes between 1 and 1.2."""

    map_frames: float = 1000.0
    gain_frames: float = 200.0
    gain_range: tuple[float, float] = (0.3, 3.0)
    unit_frames: float = 50.0
    amplitude: float = 1.0


def personalise(
    network: GatedResidualMotionNetwork,
    motion: np.ndarray,
    speech: np.ndarray,
    prosody: np.ndarray,
    action_units: np.ndarray,
    identity: np.ndarray,
    upper: np.ndarray,
    lip_jacobian: np.ndarray,
    usual_jacobian: np.ndarray,
    strength: Strength = Strength(),
) -> GatedResidualMotionNetwork:
    """A copy of the prior `network` that speaks one person's motion space. The given network is not changed.

    Frames of the adaptation part: `motion` [T, C] in head units, `speech` [T, 16, D], `prosody` [T, 16, 3],
    `action_units` [T, 6] 0 to 5; `identity` [I]; `upper` [C] bool (`emotag.motion.channels.upper_face`); `lip_jacobian`
    [C, M] of the lip measures (`emotag.motion.lip_space`) of this person, and `usual_jacobian` [C, M] of nobody in
    particular at the prior's mean motion: the prior's units make its measures on the mouths it was learnt on, not on a
    narrow one or one with hardly parted lips (read on the worst such mouth, its aperture correlates 0.68 with that of 18
    clips instead of 0.76).
    """
    person = copy.deepcopy(network).eval()
    pooled = person.statistics()
    own = statistics.of_person(motion, action_units, pooled.scale, upper)
    own = replaced(own, scale=np.where(upper, own.scale, own.scale * strength.amplitude))
    person.set_statistics(own)
    if person.acted:
        person.residual_shown.copy_(torch.from_numpy(~upper))
        person.emotion.project(without_opening(person, lip_jacobian * ~upper[:, None]))
    if not torch.count_nonzero(person.skip.speech_weight):
        return person
    inputs = [torch.from_numpy(np.asarray(a, np.float32)) for a in (speech, prosody, action_units, identity)]
    with torch.inference_mode():
        if torch.count_nonzero(person.mood_latent):
            components, spoken = person.space.components(inputs[0]), person.space.prosody(inputs[1])
            person.expect(*person.felt(components, spoken, person.cues(inputs[2]), inputs[3]))
        spoken = taps(person.space.components(inputs[0])).double().numpy()
        heard = np.zeros((len(motion), lip_jacobian.shape[1]))
        if person.articulation is not None:
            heard = doubled(person.articulation.measures(inputs[0]))
        added = beyond_ridge(person, *inputs)
    cues = own.cues(action_units)
    skip = person.skip
    centre_x, centre_u = spoken.mean(0), cues.mean(0)
    target = (motion - own.mean) / np.where(upper, own.scale, 1.0) - added * np.where(upper, 1.0, own.scale)
    centre_y = target.mean(0)
    y = target - centre_y
    speech_weight, cue_weight = np.zeros(skip.speech_weight.shape), doubled(skip.cue_weight)
    in_units = doubled(skip.speech_weight)[:, ~upper] * pooled.scale[~upper]
    centre_h = heard.mean(0)
    speech_weight[:, ~upper], reach = lower_face(
        in_units,
        doubled(skip.speech_moment),
        spoken - centre_x,
        y[:, ~upper],
        lip_jacobian[~upper],
        usual_jacobian[~upper],
        strength,
        heard - centre_h,
    )
    # The person's scale carries the amplitude; what is stored here is relative to it.
    speech_weight[:, ~upper] /= own.scale[~upper] / strength.amplitude
    reach = reach / (own.scale[~upper] / strength.amplitude)
    cue_weight[:, upper] = closed_form.map_update(
        cue_weight[:, upper], doubled(skip.cue_moment), cues - centre_u, y[:, upper], strength.map_frames
    )
    centre_y = np.where(upper, centre_y, centre_y / own.scale)
    skip.speech_weight.copy_(torch.from_numpy(speech_weight))
    skip.cue_weight.copy_(torch.from_numpy(cue_weight))
    bias = centre_y - centre_x @ speech_weight - centre_u @ cue_weight
    bias[~upper] -= centre_h @ reach
    skip.speech_bias.copy_(torch.from_numpy(bias))
    if person.articulation is not None:
        person.articulation.reach[:, ~upper] = torch.from_numpy(reach.astype(np.float32))
    return person


def hearing(network: GatedResidualMotionNetwork, arrays: dict[str, np.ndarray]) -> GatedResidualMotionNetwork:
    """A copy of `network` with the articulation of `arrays` (all but `reach`) beside its ridge, still shut."""
    plain = network.architecture.plain() | sizes_of(arrays)
    beside = {f"articulation.{name}": array for name, array in shut(arrays, plain["channels"]).items()}
    return load(network.arrays() | beside, plain)


def without_opening(person: GatedResidualMotionNetwork, jacobian: np.ndarray) -> torch.Tensor:
    """[C, C] takes from a residual what it does to aperture and jaw, by the units with which the person's speech opens the
    mouth; `jacobian` [C, 4] of the lip measures, zero where a channel may not be used."""
    opening = jacobian[:, list(OPENING)]
    unit, deviation = doubled(person.residual_scale), doubled(person.motion_scale)
    speech = deviation[:, None] ** 2 * opening
    reach = opening.T @ speech
    back = speech @ np.linalg.solve(reach + 1e-6 * np.trace(reach) * np.eye(len(reach)), opening.T)
    return torch.from_numpy((np.eye(len(unit)) - back * unit / unit[:, None]).astype(np.float32))


def lower_face(
    prior: np.ndarray,
    moment: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    jacobian: np.ndarray,
    usual_jacobian: np.ndarray,
    strength: Strength,
    heard: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """[K, C] the person's ridge from centred taps `x` [T, K] to units, from the `prior` [K, C] in the same units; and [M, C]
    the units that follow what the articulation hears, `heard` [T, M] centred (zero: nothing).

    `moment` [K, K] is the corpus' mean outer product of taps, `y` [T, C] the centred tracked units; `jacobian` [C, M] of
    the person's mouth and `usual_jacobian` [C, M] of those that the prior was learnt on.
    """
    seen, here, meant = y @ jacobian, prior @ jacobian, prior @ usual_jacobian
    usual = np.linalg.solve(spread_of(here, moment), here.T @ moment @ prior)
    share = articulated_share(x @ meant, heard, seen)
    if heard.any():
        log.info("share of the articulation in the lips' course: %.2f", share)
    # Who speaks as the articulation hears keeps a gain; of most people the part says little of it.
    held = replaced(strength, gain_frames=(1 - share) * strength.gain_frames)
    slope = gain((1 - share) * (x @ meant) + share * heard, seen, held)
    follow = closed_form.map_update(usual, spread_of(meant * slope, moment), seen, y, strength.unit_frames)
    reach = share * np.diag(slope)
    ridge = closed_form.map_update((1 - share) * meant * slope, moment, x, seen - heard @ reach, strength.map_frames)
    return ridge @ follow, reach @ follow


def articulated_share(ridge: np.ndarray, heard: np.ndarray, seen: np.ndarray) -> float:
    """0 to 1: the share of `heard` [T, M] in the lips' course, the rest being the `ridge`'s [T, M], that is expected after what
    was `seen` [T, M] (all centred). A share is as likely as, under normal errors, what it leaves over of the measures, each at
    its best gain, and beforehand the less likely the larger it is."""
    if not heard.any():
        return 0.0
    ridge, heard, seen = (a - gaussian_filter1d(a, SLOW_FRAMES, axis=0, mode="nearest") for a in (ridge, heard, seen))
    unlike = [_left_over((1 - share) * ridge + share * heard, seen)[JUDGED] for share in SHARES]
    belief = -0.5 * len(seen) * np.log(unlike).mean(1) - DOUBT * SHARES
    weight = np.exp(belief - belief.max())
    return float(weight @ SHARES / weight.sum())


def _left_over(predicted: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """[M] share of the power of `seen` [T, M] that no positive gain on `predicted` [T, M] explains (at least 0.01)."""
    power = (predicted**2).sum(0) * (seen**2).sum(0)
    explained = np.maximum((predicted * seen).sum(0), 0.0) ** 2 / np.maximum(power, 1e-30)
    return np.maximum(1.0 - explained, 0.01)


def spread_of(measures: np.ndarray, moment: np.ndarray) -> np.ndarray:
    """[M, M] mean outer product over the corpus of what a map [K, M] predicts, kept solvable."""
    spread = measures.T @ moment @ measures
    return spread + max(1e-6 * np.trace(spread) / len(spread), 1e-15) * np.eye(len(spread))


def beyond_ridge(network: GatedResidualMotionNetwork, speech, prosody, action_units, identity) -> np.ndarray:
    """[T, C] what base and residual add to the ridge, in standardised motion space."""
    output = network(speech, prosody, action_units, identity)
    ridge = network.skip(network.space.components(speech), network.cues(action_units))
    return (output.base - ridge + slow(output.gate * output.residual)).double().numpy()


def gain(predicted: np.ndarray, target: np.ndarray, strength: Strength) -> np.ndarray:
    """[M] slope of the target on the prediction, shrunk to 1 by `gain_frames` frames, within its limits."""
    power = (predicted**2).sum(0)
    shrink = strength.gain_frames * power / len(predicted) + 1e-12
    return np.clip(((predicted * target).sum(0) + shrink) / (power + shrink), *strength.gain_range)


def doubled(buffer: torch.Tensor) -> np.ndarray:
    """A buffer as float64 on numpy (a copy)."""
    return buffer.detach().cpu().numpy().astype(np.float64)
