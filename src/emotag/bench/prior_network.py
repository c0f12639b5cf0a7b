"""The motion network as a prior, with the ridge under it or without, and the ways in which five seconds adapt it.

All in motion space. Adaptation is to the tracked motion of the part, not to pictures: the mouth field, which
`adain+mouth` trains too, moves Gaussians and nothing of the mesh, so here that scope is the same as `adain`.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import Corpus
from emotag.config import PretrainConfig
from emotag.errors import TrainingDiverged
from emotag.methods.emotag import METHOD
from emotag.motion import channels, prior, scores, statistics
from emotag.motion.examples import Clip, Example, StoredExample, examples_of
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.stages import pretrain
from emotag.training.checkpoint import StateFolder, fingerprint
from emotag.training.loop import Group, Phase, Run, one_step, optimiser_for
from emotag.training.losses import velocity_square, weighted_square
from emotag.training.motion_batches import MotionBatch, MotionBatches

# What two shared cores can train: a step of 8 runs of 4 frames takes a third of a second. Of people left out of training so
# many seconds say when to stop.
BUDGET = PretrainConfig(iterations=1000, emotion_iterations=0, batch_windows=8, window_frames=4, learning_rate=1e-3)
WITNESSED_S = 6
SEED = 0
RATE = 5e-4  # of adaptation, as in stage `adapt`
ADAIN_STEPS, EVERYTHING_STEPS, ALONE_STEPS = 60, 15, 40
ADAIN = tuple(prefix.removeprefix("network.") for prefix in METHOD.adapt_scopes["adain"])


@dataclass(frozen=True)
class Trained:
    """A `network`, the clips it was trained on, the weights [C] of its channels, and its `found` scores: lip correlation in
    motion space on people left out of its training, of the ridge alone and of all of it."""

    network: GatedResidualMotionNetwork
    seen: Sequence[Clip]
    channel_weights: Tensor
    found: Mapping[str, float]

    @property
    def kept(self) -> bool:
        """Whether the pipeline would keep what the network adds to the ridge."""
        return self.found["network"] > self.found["ridge"] + pretrain.MARGIN


def trained(material: Corpus, people: Mapping[str, str], real: set[str], ridge: bool, state: Path) -> Trained:
    """The prior of the clips `people` {clip: person} of `material`, as stage `pretrain` trains it on `real` people and
    others; resumed from below `state` where that was killed."""
    upper = channels.upper_face(material.motion_names)
    config = BUDGET.model_copy(update={"ridge": ridge})
    training, left_out = pretrain.split_people(dict(people), real)
    torch.manual_seed(SEED)
    network = METHOD.motion_network(pretrain.architecture_of(material, config))
    prior.fit_inputs(network, material, training)
    motion, units = ({clip: column[clip] for clip in people} for column in (material.motion, material.action_units))
    pooled, spaces = statistics.of_people(motion, units, people, upper)
    network.set_statistics(prior.pooled_statistics(pooled, spaces))
    seen, unseen = (examples_of(material, clips, network.space, spaces) for clips in (training, left_out))
    witnesses = [clip.first(WITNESSED_S) for clip in unseen]
    if ridge:
        prior.fit_ridge(network, seen, upper)
    lips = pooled * channels.lips(material.motion_names)
    found = {"ridge": scores.lip_score(network, witnesses, lips)}
    key = fingerprint(config.model_dump(mode="json") | {"people": sorted(people.items())}, [], [])
    with StateFolder(state, key) as folder:
        found |= pretrain.train_network(network, seen, witnesses, lips, folder, config, METHOD.name)
    if ridge:
        prior.fit_ridge(network, [*seen, *unseen], upper)
    network.requires_grad_(False)
    return Trained(network, seen, channel_weights(lips, pooled), found)


def channel_weights(lips: np.ndarray, scale: np.ndarray) -> Tensor:
    """[C] of mean 1: lips twice, channels that do not move not at all (as in stage `pretrain`)."""
    weight = np.where(lips > 0, 2.0, 1.0) * (scale > 2 * statistics.FLOOR)
    return torch.from_numpy((weight / weight.mean()).astype(np.float32))


def part_of(material: Corpus, clip: str, person: GatedResidualMotionNetwork, part: np.ndarray) -> Example:
    """The frames `part` [T] of a clip in the motion space that `person` speaks."""
    stored = StoredExample(material, clip, person.space, person.statistics())
    return stored.read(int(part[0]), int(part[-1]) + 1)


def fit(
    network: GatedResidualMotionNetwork, prefixes: tuple[str, ...], steps: int, objective: Callable, batches: Callable
) -> GatedResidualMotionNetwork:
    """A copy whose parameters under `prefixes` took `steps`, with the settings of the prior's training."""
    network = copy.deepcopy(network)
    weights = {"motion": 1.0, "velocity": 1.0, "kl": BUDGET.weight_kl, "score": BUDGET.weight_score}
    phase = Phase("fit", steps, objective, batches, groups=(Group(prefixes, RATE),), weights=weights, clip_norm=1.0)
    torch.manual_seed(SEED)
    run = Run(optimiser_for(network, phase), torch.Generator().manual_seed(SEED))
    for step in range(steps):
        run.step = step
        losses, finite = one_step(network, run, phase)
        if not finite:
            raise TrainingDiverged(
                f"adaptation: step {step} of {steps} is not finite ({losses}), expected finite losses"
            )
    return network.eval().requires_grad_(False)


def adain(person: GatedResidualMotionNetwork, part: Example, weights: Tensor) -> GatedResidualMotionNetwork:
    """AdaIN fitted to the motion of all frames of the part; what lies below it stands still and is listened to once."""
    with torch.no_grad():
        tokens = person.speech.tokens(part.components, part.prosody)

    def objective(_: Any, network: GatedResidualMotionNetwork) -> dict[str, Tensor]:
        out = network.from_components(part.components, part.prosody, part.cues, part.identity, tokens)
        return {
            "motion": weighted_square(out.motion, part.target, weights),
            "velocity": velocity_square(out.motion, part.target, weights),
        }

    return fit(person.eval(), ADAIN, ADAIN_STEPS, objective, lambda generator: None)


def everything(person: GatedResidualMotionNetwork, part: Example, prior_of: Trained) -> GatedResidualMotionNetwork:
    """All weights, one half of every batch from the part and the other from the prior's corpus."""
    half = (BUDGET.batch_windows // 2, BUDGET.window_frames, person.space.identity_mean)
    own, others = MotionBatches([part], *half), MotionBatches(prior_of.seen, *half)

    def batches(generator: torch.Generator) -> MotionBatch:
        return joined(own(generator), others(generator))

    objective = METHOD.prior_objective(prior_of.channel_weights)
    return fit(person.train(), ("",), EVERYTHING_STEPS, objective, batches)


def alone(start: GatedResidualMotionNetwork, part: Example, weights: Tensor) -> GatedResidualMotionNetwork:
    """No prior: an untrained network in the motion space and with the inputs of `start`, trained on the part alone."""
    torch.manual_seed(SEED)
    network = METHOD.motion_network(start.architecture)
    network.space.load_state_dict(start.space.state_dict())
    network.set_statistics(start.statistics())
    runs = (BUDGET.batch_windows // 2, BUDGET.window_frames, network.space.identity_mean)
    objective = METHOD.prior_objective(weights)
    return fit(network.train(), ("",), ALONE_STEPS, objective, MotionBatches([part], *runs))


def joined(first: MotionBatch, second: MotionBatch) -> MotionBatch:
    """Both in one."""
    return MotionBatch(*(torch.cat([getattr(first, f.name), getattr(second, f.name)]) for f in fields(MotionBatch)))
