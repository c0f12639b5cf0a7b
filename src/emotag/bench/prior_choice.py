"""Which prior suits people it has not heard: none, the synthetic one, one of the other real people, or both together; as a
ridge, as the paper's network (`grmn`), and as the network on top of the ridge (`ridge+grmn`).

A clip's first five seconds adapt, the rest is judged (`emotag.bench.prior_footage`). People are dealt into as many folds
as there are corpora of talkers, the visemes of each of which were fitted without the people of its fold. Real ridges leave
the person out, real networks the person's fold. Ridges are on the components of the shipped prior, whose own lips are the
rows of visemes `of all`.
"""

import copy
import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from emotag.artifacts import Corpus, Prior
from emotag.bench import prior_network
from emotag.bench.prior_footage import CHUNK, Footage, corpus_of, scores
from emotag.bench.prior_network import Trained
from emotag.bench.prior_table import COLUMNS, table
from emotag.head import models
from emotag.io.artifact import write_atomic
from emotag.motion import channels, closed_form, corpora, grmn, lip_space, prior, statistics
from emotag.motion.examples import Clip, Example, examples_of
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.moods import slow
from emotag.motion.personalise import Strength, doubled, personalise
from emotag.motion.prior import MAX_FRAMES, RIDGE
from emotag.types import FPS

log = logging.getLogger(__name__)

# Frames that the prior counts as: gains alone, the default, and as many frames of the corpus as the person's own.
NEVER = 1e12
SCALE = Strength(map_frames=NEVER, unit_frames=NEVER)
WAYS = {"scale": SCALE, "map": Strength(), "rehearsal": Strength(map_frames=125.0)}
Row = dict[str, object]


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

    @classmethod
    def shipped(cls, start: Prior) -> "Moments":
        """Those that a prior's ridge was solved from: its talkers count for ten seconds each."""
        network = grmn.load(start.network, start.architecture)
        moment, weights = doubled(network.skip.speech_moment), doubled(network.skip.speech_weight)
        count = MAX_FRAMES * len(start.people)
        return cls(count * without_penalty(moment), count * moment @ weights, count)

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.inputs + other.inputs, self.targets + other.targets, self.weight + other.weight)

    def ridge(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights [K, C], and the moment [K, K] that a person's frames are weighed against."""
        outer = closed_form.strengthened(self.inputs / self.weight, RIDGE)
        return np.linalg.solve(outer, self.targets / self.weight), outer


def without_penalty(moment: np.ndarray) -> np.ndarray:
    """The mean outer product [K, K] that `closed_form.strengthened` made `moment` of."""
    return moment - RIDGE / (1 + RIDGE) * np.trace(moment) / len(moment) * np.eye(len(moment))


@dataclass(frozen=True)
class Fold:
    """Talkers whose visemes know nothing of some people: their `sums`, and the shipped `network` in their motion space."""

    number: int
    talkers: Corpus
    network: GatedResidualMotionNetwork
    sums: Moments

    @classmethod
    def of(cls, number: int, talkers: Path, start: GatedResidualMotionNetwork) -> "Fold":
        """From the corpus of the talkers."""
        corpus = Corpus.load(talkers)
        upper = channels.upper_face(corpus.motion_names)
        pooled, spaces = statistics.of_people(corpus.motion, corpus.action_units, corpus.people, upper)
        network = copy.deepcopy(start)
        network.set_statistics(prior.pooled_statistics(pooled, spaces))
        return cls(
            number, corpus, network, Moments.of(examples_of(corpus, sorted(corpus.people), network.space, spaces))
        )


class Choice:
    """What all rows share: the real people as a `material`, the head, and the priors they are adapted from."""

    def __init__(
        self, results: Path, head: Path, start: Path, people: Mapping[str, str], talkers: Sequence[Path], state: Path
    ) -> None:
        self.people, self.results, self.state = dict(people), results, state
        self.model, self.shipped = models.load(head), Prior.load(start)
        self.start = grmn.load(self.shipped.network, self.shipped.architecture)
        self.material = corpus_of(results, people)
        self.folds = [Fold.of(number, path, self.start) for number, path in enumerate(talkers)]
        self.dealt = dealt(people, len(talkers))
        self.trained: dict[tuple[str, str, int], Trained] = {}
        self.summed: dict[tuple[str, int], Moments] = {}

    def footage(self, clip: str) -> Footage:
        """A clip to adapt to and to judge on."""
        return Footage(self.results, clip, self.model)

    def fold(self, clip: str) -> Fold:
        """The fold of the clip's person."""
        return self.folds[self.dealt[self.people[clip]]]

    def others(self, clip: str) -> Moments:
        """Sums over all clips of other people, in the motion space of the clip's fold."""
        fold, who = self.fold(clip), self.people[clip]
        for other in self.people:
            if (other, fold.number) not in self.summed:
                frames = np.arange(len(self.material.motion[other]))
                self.summed[other, fold.number] = self.own(other, frames, fold.network)
        first, *rest = (self.summed[other, fold.number] for other in self.people if self.people[other] != who)
        return sum(rest, first)

    def own(self, clip: str, frames: np.ndarray, network: GatedResidualMotionNetwork) -> Moments:
        """Sums over `frames` [T] of one clip, its units over the talkers' pooled scale times its own liveliness there."""
        upper, pooled = channels.upper_face(self.material.motion_names), network.statistics().scale
        motion, units = (column[clip][frames] for column in (self.material.motion, self.material.action_units))
        person = network.speaking(statistics.of_person(motion, units, pooled, upper))
        return Moments.of([prior_network.part_of(self.material, clip, person, frames)])

    def network(self, kind: str, model: str, fold: Fold) -> Trained:
        """The network of prior `kind` (synthetic, real, both) with the ridge under it, or without, and its scores."""
        key = (kind, model, fold.number)
        if key not in self.trained:
            real = {clip: who for clip, who in self.people.items() if self.dealt[who] != fold.number}
            people = {"synthetic": fold.talkers.people, "real": real, "both": {**fold.talkers.people, **real}}[kind]
            material = corpora.join([fold.talkers, self.material])
            witnesses = set(real.values()) & set(people.values())
            ridge = model == "ridge+grmn"
            found = prior_network.trained(material, people, witnesses, ridge, self.state / "-".join(map(str, key)))
            log.info("%s, %s, fold %d: %s, kept: %s", kind, model, fold.number, found.found, found.kept)
            self.trained[key] = found
        return self.trained[key]


def dealt(people: Mapping[str, str], folds: int) -> dict[str, int]:
    """{person: fold}: people in the order of their first clips are dealt in turn."""
    return {person: number % folds for number, person in enumerate(dict.fromkeys(people.values()))}


def with_ridge(network: GatedResidualMotionNetwork, sums: Moments, upper: np.ndarray) -> GatedResidualMotionNetwork:
    """The network with other speech weights for the lower face."""
    weights, moment = sums.ridge()
    other = copy.deepcopy(network)
    other.skip.speech_weight.copy_(torch.from_numpy(weights * ~upper))
    other.skip.speech_moment.copy_(torch.from_numpy(moment))
    return other


def spoken_by(clip: Footage, network: GatedResidualMotionNetwork, way: Strength) -> GatedResidualMotionNetwork:
    """The network as the clip's person, by the part."""
    own, subject, driven = clip.motion[clip.part], clip.subject, clip.cues(clip.part)
    arrays = (t.numpy() for t in (driven.speech, driven.prosody, driven.action_units, driven.identity))
    here = lip_space.lip_jacobian(clip.small, subject.shape, subject.landmark_offsets, own.mean(0))
    usual = lip_space.usual_jacobian(clip.small, network.statistics().mean)
    return personalise(network, own, *arrays, clip.upper, here, usual, way)


def shown(clip: Footage, person: GatedResidualMotionNetwork) -> np.ndarray:
    """Motion [T, C] of the test frames, as an avatar shows it (`emotag.motion.driving.network_codes`)."""
    heard, bases, added = clip.cues(clip.test), [], []
    with torch.inference_mode():
        for i in range(0, len(clip.test), CHUNK):
            part = heard[slice(i, i + CHUNK)]
            out = person(part.speech, part.prosody, part.action_units, part.identity)
            bases.append(out.base)
            added.append(out.gate * out.residual)
        return person.restore(torch.cat(bases) + slow(torch.cat(added))).numpy()


def ridges(choice: Choice, clip: Footage) -> Iterator[Row]:
    """Rows of all priors as ridges; real ones leave the person out."""
    fold, real = choice.fold(clip.name), choice.others(clip.name)
    cases = [
        ("none", "", fold.network, choice.own(clip.name, clip.part, fold.network)),
        ("synthetic", "of others", fold.network, fold.sums),
        ("synthetic", "of all", choice.start, Moments.shipped(choice.shipped)),
        ("real", "", fold.network, real),
        ("both", "of others", fold.network, real + fold.sums),
    ]
    for name, visemes, network, sums in cases:
        ready = with_ridge(network, sums, clip.upper)
        for way in WAYS if name != "none" else ["scale"]:
            found = scores(clip, shown(clip, spoken_by(clip, ready, WAYS[way])))
            yield {"prior": name, "model": "ridge", "way": way, "visemes": visemes} | found


def networks(choice: Choice, clip: Footage) -> Iterator[Row]:
    """Rows of all priors as networks; real ones leave the person's fold out."""
    fold = choice.fold(clip.name)

    def part(person: GatedResidualMotionNetwork) -> Example:
        return prior_network.part_of(choice.material, clip.name, person, clip.part)

    for kind, visemes in (("synthetic", "of others"), ("real", ""), ("both", "of others")):
        for model, first in (("grmn", "scale"), ("ridge+grmn", "map")):
            start = choice.network(kind, model, fold)
            person = spoken_by(clip, start.network, WAYS[first])
            ways = {first: person, "adain": prior_network.adain(person, part(person), start.channel_weights)}
            if model == "grmn":
                ways["everything"] = prior_network.everything(person, part(person), start)
            for way, adapted in ways.items():
                row = {"prior": kind, "model": model, "way": way, "visemes": visemes, "kept": start.kept}
                yield row | scores(clip, shown(clip, adapted))
    person, weights = spoken_by(clip, fold.network, SCALE), choice.network("synthetic", "grmn", fold).channel_weights
    alone = prior_network.alone(person, part(person), weights)
    yield {"prior": "none", "model": "grmn", "way": "everything", "visemes": ""} | scores(clip, shown(clip, alone))


MODELS = {"ridge": ridges, "grmn": networks}


def run(
    results: Path,
    head: Path,
    start: Path,
    people: Mapping[str, str],
    talkers: Sequence[Path],
    out: Path,
    state: Path,
    wanted: Sequence[str] = tuple(MODELS),
) -> list[Row]:
    """Rows of all clips ({clip: person}); those in `out` already are kept, and it is written after every clip.

    `talkers` are synthetic corpora, one a fold, whose visemes were fitted without its people (`dealt`); networks are
    trained below `state`. `wanted` are of `MODELS`.
    """
    torch.set_num_threads(1)
    choice = Choice(results, head, start, people, talkers, state)
    rows: list[Row] = list(csv.DictReader(out.read_text().splitlines())) if out.is_file() else []
    for model in wanted:
        for clip, person in people.items():
            if any((row["clip"], row["model"]) == (clip, model) for row in rows):
                continue
            footage = choice.footage(clip)
            known = {"clip": clip, "person": person, "seconds": len(footage.motion) / FPS, "kept": ""}
            for row in MODELS[model](choice, footage):
                rows.append(known | row)
                log.info("%s", ", ".join(str(rows[-1][name]) for name in COLUMNS))
            write_atomic(out, table(rows).encode())
    return rows
