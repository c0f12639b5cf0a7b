"""What residual, gate and emotion latent learn: the slow part of acted motion that the ridge leaves over.

Speech moves the lips several times a second, an emotion stays for seconds. Everything here is therefore low-passed
(`slow`): what the residual is trained on, and what of it reaches the face. It cannot take part in articulation.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from emotag.artifacts import Corpus
from emotag.motion import statistics
from emotag.motion.examples import Example, StoredExample
from emotag.motion.grmn import GatedResidualMotionNetwork, GrmnOutput
from emotag.motion.statistics import MotionStatistics
from emotag.types import EMOTIONS, FPS, NEUTRAL

SLOW_S = 0.5
# Clips that show a person's neutral face, as the adaptation part usually does.
CALM = 0.6
# Probability from which on a frame shows an emotion in full; every fifth frame is looked at.
FULL, EVERY = 0.9, 5


def slow(values: Tensor) -> Tensor:
    """[T, D] low-passed along time: a Gaussian of half a second's deviation leaves 29 % at 0.5 Hz and nothing at 2 Hz."""
    smooth = gaussian_filter1d(values.numpy(), SLOW_S * FPS, axis=0, mode="nearest")
    return torch.from_numpy(smooth.astype(np.float32))


def neutral_statistics(corpus: Corpus, pooled: np.ndarray, upper: np.ndarray) -> dict[str, MotionStatistics]:
    """The motion space of each person by their calm clips (by all, where there is none); `pooled` [C], `upper` [C]."""
    found = {}
    for person in sorted(set(corpus.people.values())):
        own = sorted(clip for clip in corpus.motion if corpus.people[clip] == person)
        calm = [clip for clip in own if np.asarray(corpus.emotion[clip])[:, NEUTRAL].mean() > CALM] or own
        motion = np.concatenate([corpus.motion[clip] for clip in calm])
        cues = np.concatenate([corpus.action_units[clip] for clip in calm])
        found[person] = statistics.of_person(motion, cues, pooled, upper)
    return found


def left_over(corpus: Corpus, network: GatedResidualMotionNetwork, upper: np.ndarray) -> list[Example]:
    """The clips of `corpus` whose `target` [T, C] is the slow part of the motion that the ridge leaves over, in the
    pooled deviations that `network` speaks, around each person's neutral face."""
    pooled = network.statistics().scale
    people = neutral_statistics(corpus, pooled, upper)
    examples = []
    for clip in sorted(corpus.motion):
        person = people[corpus.people[clip]]
        example = StoredExample(corpus, clip, network.space, person).read(0, len(corpus.motion[clip]))
        with torch.inference_mode():
            left = example.target - network.skip(example.components, example.cues)
            left = slow(left * torch.from_numpy((person.scale / pooled).astype(np.float32)))
        examples.append(replace(example, target=left))
    return examples


def fit_scale(network: GatedResidualMotionNetwork, examples: Sequence[Example]) -> Tensor:
    """Units of the residual by how far emotion moves each channel; returns the weights [C] that make channels count alike.

    A channel that no emotion moves keeps the smallest unit and counts for next to nothing.
    """
    moved = torch.cat([example.target for example in examples]).square().mean(0).sqrt()
    units = moved * network.motion_scale
    floor = 0.05 * units.max()
    network.residual_scale.copy_(units.clamp_min(floor))
    return (network.motion_scale / network.residual_scale).square()


def outputs(network: GatedResidualMotionNetwork, example: Example, cues: bool = True) -> GrmnOutput:
    """What the network says of a clip, without gradient or dropout; without `cues` it has to hear the emotion."""
    network.eval()
    with torch.inference_mode():
        seen = example.cues if cues else torch.zeros_like(example.cues)
        return network.from_components(example.components, example.prosody, seen, example.identity)


def fit_moods(network: GatedResidualMotionNetwork, examples: Sequence[Example]) -> None:
    """Closed forms after training: the decoder's last layer (few steps leave it rough), the gate of calm frames, and the mean
    latent and cues of the frames that show each emotion in full, which is what setting an emotion stands for."""
    columns: list[tuple[Tensor, ...]] = []
    few = slice(None, None, EVERY)
    network.eval()
    with torch.inference_mode():
        for example in examples:
            components, prosody, cues = example.components[few], example.prosody[few], example.cues[few]
            latent, gate = network.felt(components, prosody, cues, example.identity)
            columns.append((latent, gate, cues, example.target[few] / network.residual_ratio(), example.emotion[few]))
    latent, gate, cues, target, shown = (torch.cat(column) for column in zip(*columns, strict=True))
    network.emotion.refit(latent, gate, target)
    for index in range(len(EMOTIONS)):
        chosen = shown[:, index] >= min(CALM if index == NEUTRAL else FULL, float(shown[:, index].max()))
        network.mood_latent[index] = latent[chosen].mean(0)
        if index == NEUTRAL:
            network.calm_gate.copy_(torch.logit(gate[chosen], 1e-6).mean(0))
        else:
            network.mood_cues[index] = cues[chosen].mean(0)


def agreement(network: GatedResidualMotionNetwork, examples: Sequence[Example], cues: bool) -> dict[str, float]:
    """How far the network agrees with the teacher, clip by clip: `kl` nats, `top1` of the clip's mean, `gate` correlation
    with 1 - p(neutral) over clips, and the share of the slow left-over `motion` that it explains."""
    divergence, hits, gates, shown, error, power = [], [], [], [], 0.0, 0.0
    weight = (network.motion_scale / network.residual_scale.clamp_min(1e-6)).square()
    for example in examples:
        out, teacher = outputs(network, example, cues), example.emotion
        log_q = torch.log_softmax(slow(out.emotion), 1)
        divergence.append(float((torch.xlogy(teacher, teacher) - teacher * log_q).sum(1).mean()))
        hits.append(float(log_q.mean(0).argmax() == teacher.mean(0).argmax()))
        gates.append(float(out.gate.mean()))
        shown.append(float(1 - teacher[:, NEUTRAL].mean()))
        error += float(((slow(out.gate * out.residual) - example.target).square() * weight).sum())
        power += float((example.target.square() * weight).sum())
    together = float(np.corrcoef(gates, shown)[0, 1]) if np.std(gates) > 0 and np.std(shown) > 0 else 0.0
    scores = (np.mean(divergence), np.mean(hits), together, 1 - error / max(power, 1e-9))
    return {name: float(score) for name, score in zip(("kl", "top1", "gate", "motion"), scores, strict=True)}
