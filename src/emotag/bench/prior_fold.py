"""What a fold of people may be adapted from: priors of everybody else, in the motion space of talkers whose visemes do not
know the fold."""

import copy
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from emotag.artifacts import Corpus
from emotag.bench import prior_network
from emotag.bench.prior_network import Trained
from emotag.motion import channels, closed_form, corpora, prior, statistics
from emotag.motion.examples import Clip, examples_of
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.prior import RIDGE

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Moments:
    """Weighted sums over people's centred frames: of taps by taps, of taps by standardised motion, and of weights."""

    inputs: np.ndarray
    targets: np.ndarray
    weight: float

    @classmethod
    def of(cls, clips: Sequence[Clip]) -> "Moments":
        """As the prior's ridge sums them."""
        sums = prior.Paths()
        for clip in clips:
            sums.add(clip)
        return cls(sums.speech, sums.speech_target, sums.weight)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.inputs + other.inputs, self.targets + other.targets, self.weight + other.weight)

    def ridge(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights [K, C], and the moment [K, K] that a person's frames are weighed against."""
        outer = closed_form.strengthened(self.inputs / self.weight, RIDGE)
        return np.linalg.solve(outer, self.targets / self.weight), outer


def dealt(people: Mapping[str, str], folds: int) -> list[list[str]]:
    """Clips {clip: person} of each fold: people, in the order of their first clips, are dealt in turn with all of theirs."""
    number = {person: index % folds for index, person in enumerate(dict.fromkeys(people.values()))}
    return [[clip for clip, person in people.items() if number[person] == fold] for fold in range(folds)]


class Fold:
    """`network` holds a ridge alone, on the inputs of the shipped one and in the motion space of the talkers, whose `sums`
    are beside it; `state` is where networks train."""

    def __init__(
        self, real: Corpus, clips: Sequence[str], talkers: Path, shipped: GatedResidualMotionNetwork, state: Path
    ) -> None:
        self.real, self.clips, self.state = real, list(clips), state
        self.talkers = Corpus.load(talkers)
        self.upper = channels.upper_face(self.talkers.motion_names)
        columns = self.talkers.motion, self.talkers.action_units, self.talkers.people
        pooled, spaces = statistics.of_people(*columns, self.upper)
        self.network = ridge_alone(shipped)
        self.network.set_statistics(prior.pooled_statistics(pooled, spaces))
        self.sums = Moments.of(examples_of(self.talkers, sorted(self.talkers.people), self.network.space, spaces))
        self._own: dict[str, Moments] = {}
        self._trained: dict[tuple[str, str], Trained] = {}

    def own(self, clip: str, frames: np.ndarray) -> Moments:
        """Sums over `frames` [T] of a real clip, its units over the talkers' pooled scale times its own liveliness there."""
        motion, units = (column[clip][frames] for column in (self.real.motion, self.real.action_units))
        space = statistics.of_person(motion, units, self.network.statistics().scale, self.upper)
        return Moments.of([prior_network.part_of(self.real, clip, self.network.speaking(space), frames)])

    def others(self, clip: str) -> Moments:
        """Sums over all clips of people other than the one of `clip`."""
        for other in self.real.people.keys() - self._own.keys():
            self._own[other] = self.own(other, np.arange(len(self.real.motion[other])))
        people = self.real.people
        first, *rest = (self._own[other] for other in people if people[other] != people[clip])
        return sum(rest, first)

    def trained(self, kind: str, model: str) -> Trained:
        """The network of prior `kind` (synthetic, real, both) that saw nobody of the fold: `ridge+grmn`, or `grmn` without."""
        key = (kind, model)
        if key not in self._trained:
            own = {self.real.people[clip] for clip in self.clips}
            real = {clip: who for clip, who in self.real.people.items() if who not in own}
            people = {"synthetic": self.talkers.people, "real": real, "both": {**self.talkers.people, **real}}[kind]
            material = corpora.join([self.talkers, self.real])
            witnesses = set(real.values()) & set(people.values())
            found = prior_network.trained(
                material, people, witnesses, model == "ridge+grmn", self.state / "-".join(key)
            )
            log.info("%s, %s: %s, the pipeline would keep it: %s", kind, model, found.found, found.kept)
            self._trained[key] = found
        return self._trained[key]


def ridge_alone(shipped: GatedResidualMotionNetwork) -> GatedResidualMotionNetwork:
    """The inputs and the ridge of the `shipped` network with next to no network on top, and that shut."""
    little = {"width": 16, "layers": 1, "heads": 2, "feedforward": 16, "residual": "none", "gate": "open"}
    network = GatedResidualMotionNetwork(replace(shipped.architecture, **little, modulation="none"))
    for name in ("space", "skip"):
        getattr(network, name).load_state_dict(getattr(shipped, name).state_dict())
    network.set_statistics(shipped.statistics())
    return network.eval().requires_grad_(False)


def with_ridge(network: GatedResidualMotionNetwork, sums: Moments, upper: np.ndarray) -> GatedResidualMotionNetwork:
    """The network with other speech weights for the lower face."""
    weights, moment = sums.ridge()
    other = copy.deepcopy(network)
    other.skip.speech_weight.copy_(torch.from_numpy(weights * ~upper))
    other.skip.speech_moment.copy_(torch.from_numpy(moment))
    return other
