"""Which prior suits people it has not heard: none, the synthetic one, one of the other real people, or both together; as a
ridge, as the paper's network (`grmn`), as the network on top of the ridge (`ridge+grmn`), and with the articulation beside the
ridge (`ridge+articulation`).

A clip's first five seconds adapt, the rest is judged (`emotag.bench.prior_footage`). Those judged are dealt into as many
folds as there are corpora of talkers, whose visemes were fitted without the people of their fold. Real ridges leave the person
out, real networks the person's fold. Ridges are on the components of the shipped prior; the rows of visemes `of all` are
of that prior as it is, with what actors taught it.
"""

import csv
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from emotag.artifacts import Articulation, Prior
from emotag.bench import prior_network
from emotag.bench.prior_fold import Fold, dealt, with_ridge
from emotag.bench.prior_footage import CHUNK, Footage, corpus_of, scores
from emotag.bench.prior_table import COLUMNS, table
from emotag.head import models
from emotag.io.artifact import write_atomic
from emotag.motion import grmn, lip_space
from emotag.motion.examples import Example
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.moods import slow
from emotag.motion.personalise import Strength, hearing, personalise
from emotag.types import FPS

log = logging.getLogger(__name__)

# Frames that the prior counts as: gains alone, the default, and as many frames of the corpus as the person's own.
NEVER = 1e12
SCALE = Strength(map_frames=NEVER, unit_frames=NEVER)
WAYS = {"scale": SCALE, "map": Strength(), "rehearsal": Strength(map_frames=125.0)}
# Prior, its visemes, the network, and how it becomes the person's before more is fitted.
NETWORKS = (
    ("synthetic", "of others", "grmn", "scale"),
    ("real", "", "grmn", "scale"),
    ("both", "of others", "grmn", "scale"),
    ("both", "of others", "ridge+grmn", "map"),
)
Row = dict[str, object]


@dataclass(frozen=True)
class Shipped:
    """What comes with the project."""

    prior: Prior
    articulation: Articulation

    def network(self) -> GatedResidualMotionNetwork:
        """The prior's."""
        return grmn.load(self.prior.network, self.prior.architecture)


def spoken_by(clip: Footage, network: GatedResidualMotionNetwork, way: Strength) -> GatedResidualMotionNetwork:
    """The network as the clip's person, by the part."""
    own, subject, driven = clip.motion[clip.part], clip.subject, clip.cues(clip.part)
    arrays = (t.numpy() for t in (driven.speech, driven.prosody, driven.action_units, driven.identity))
    here = lip_space.lip_jacobian(clip.small, subject.shape, subject.landmark_offsets, own.mean(0))
    usual = lip_space.usual_jacobian(clip.small, network.statistics().mean)
    return personalise(network, own, *arrays, clip.upper, here, usual, way)


def shown(clip: Footage, person: GatedResidualMotionNetwork, offset: float | None = None) -> np.ndarray:
    """Motion [T, C] of the test frames, as an avatar shows it (`emotag.motion.driving.network_codes`); `offset` as in
    `Footage.cues`."""
    heard, bases, added = clip.cues(clip.test, offset), [], []
    with torch.inference_mode():
        for i in range(0, len(clip.test), CHUNK):
            part = heard[slice(i, i + CHUNK)]
            out = person(part.speech, part.prosody, part.action_units, part.identity)
            bases.append(out.base)
            added.append(out.gate * out.residual)
        return person.restore(torch.cat(bases) + slow(torch.cat(added))).numpy()


def judged(clip: Footage, person: GatedResidualMotionNetwork) -> dict[str, float]:
    """Scores at the adaptation part's offset, and of lips at the test's own."""
    synced = scores(clip, shown(clip, person, clip.test_offset))
    return scores(clip, shown(clip, person)) | {
        "drift_frames": round(clip.test_offset - clip.offset, 4),
        "synced_aperture_corr": synced["lip_aperture_corr"],
        "synced_lmd_px512": synced["lmd_px512"],
    }


def with_talkers(fold: Fold, shipped: Shipped, clip: Footage) -> list[tuple[str, str, GatedResidualMotionNetwork]]:
    """Priors with talkers in them, as ridges: name, visemes, network; real people leave the person out."""
    both = fold.others(clip.name) + fold.sums
    return [
        ("synthetic", "of others", with_ridge(fold.network, fold.sums, clip.upper)),
        ("synthetic", "of all", shipped.network()),
        ("both", "of others", with_ridge(fold.network, both, clip.upper)),
    ]


def ridges(fold: Fold, shipped: Shipped, clip: Footage) -> Iterator[Row]:
    """Rows of all priors as ridges; real ones leave the person out."""
    own, real = fold.own(clip.name, clip.part), fold.others(clip.name)
    cases = [
        ("none", "", with_ridge(fold.network, own, clip.upper)),
        ("real", "", with_ridge(fold.network, real, clip.upper)),
        *with_talkers(fold, shipped, clip),
    ]
    for prior, visemes, ready in cases:
        for way in WAYS if prior != "none" else ["scale"]:
            found = judged(clip, spoken_by(clip, ready, WAYS[way]))
            yield {"prior": prior, "model": "ridge", "way": way, "visemes": visemes} | found


def articulated(fold: Fold, shipped: Shipped, clip: Footage) -> Iterator[Row]:
    """Rows of the priors with talkers, the articulation beside their ridge: the product."""
    for prior, visemes, ready in with_talkers(fold, shipped, clip):
        person = spoken_by(clip, hearing(ready, shipped.articulation.arrays), Strength())
        yield {"prior": prior, "model": ARTICULATED, "way": "map", "visemes": visemes} | judged(clip, person)


def networks(fold: Fold, shipped: Shipped, clip: Footage) -> Iterator[Row]:
    """Rows of all priors as networks; real ones leave the fold out. The ridge of both alone has one on top: talkers are no
    witnesses of what a network adds, so the pipeline shuts it there."""

    def part(person: GatedResidualMotionNetwork) -> Example:
        return prior_network.part_of(fold.real, clip.name, person, clip.part)

    for prior, visemes, model, first in NETWORKS:
        start = fold.trained(prior, model)
        person = spoken_by(clip, start.network, WAYS[first])
        ways = {first: person, "adain": prior_network.adain(person, part(person), start.channel_weights)}
        if model == "grmn":
            ways["everything"] = prior_network.everything(person, part(person), start)
        for way, adapted in ways.items():
            row = {"prior": prior, "model": model, "way": way, "visemes": visemes, "kept": start.kept}
            yield row | judged(clip, adapted)
    start = fold.trained("synthetic", "grmn")
    person = spoken_by(clip, start.network, SCALE)
    alone = prior_network.alone(person, part(person), start.channel_weights)
    yield {"prior": "none", "model": "grmn", "way": "everything", "visemes": ""} | judged(clip, alone)


ARTICULATED = "ridge+articulation"
MODELS = {"ridge": ridges, ARTICULATED: articulated, "grmn": networks}


def run(
    results: Path,
    head: Path,
    start: Path,
    articulation: Path,
    people: Mapping[str, str],
    talkers: Sequence[Path],
    out: Path,
    state: Path,
    wanted: Sequence[str] = tuple(MODELS),
    clips: Sequence[str] = (),
) -> list[Row]:
    """Rows of the clips of `people` {clip: person}, or of `clips` alone; those in `out` already are kept, and it is written
    after every clip.

    `talkers` are synthetic corpora, one a fold, whose visemes were fitted without its people (`dealt`); networks are
    trained below `state`. `wanted` are of `MODELS`.
    """
    torch.set_num_threads(1)
    model, real = models.load(head), corpus_of(results, people)
    shipped = Shipped(Prior.load(start), Articulation.load(articulation))
    rows: list[Row] = list(csv.DictReader(out.read_text().splitlines())) if out.is_file() else []
    chosen = {clip: people[clip] for clip in clips or people}
    done = {(row["clip"], row["model"]) for row in rows}
    for number, (own, path) in enumerate(zip(dealt(chosen, len(talkers)), talkers, strict=True)):
        missing = [(kind, clip) for kind in wanted for clip in own if (clip, kind) not in done]
        if not missing:
            continue
        fold = Fold(real, own, path, shipped.network(), state / f"{number}")
        for kind, clip in missing:
            footage = Footage(results, clip, model)
            known = {"clip": clip, "person": people[clip], "seconds": len(footage.motion) / FPS, "kept": ""}
            for row in MODELS[kind](fold, shipped, footage):
                rows.append(known | row)
                log.info("%s", ", ".join(str(rows[-1][name]) for name in COLUMNS))
            write_atomic(out, table(rows).encode())
    return rows
