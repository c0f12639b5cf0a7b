"""The prior's second phase: the motion network and the mouth field trained on pictures of many people (EmoTaG, Sec. 3.4).

Reads: head, the Prior of the first phase, and of each person what stage adapt reads. Writes: a Prior whose network and mouth
field are trained; the people's Gaussians are thrown away. State (checkpoints, progress) goes below `state`; a killed run
resumes from it. Where the first phase found no network better than the ridge, what moves the face stays shut here too.
"""

import logging
from dataclasses import replace
from pathlib import Path

import torch

from emotag import methods, stage
from emotag.artifacts import Prior
from emotag.config import RenderedConfig
from emotag.errors import ConfigError
from emotag.gaussians.lids import Hold
from emotag.head import models
from emotag.motion import channels, grmn, mouth_field, statistics
from emotag.stages.corpus_clips import left_out_by
from emotag.training import curriculum
from emotag.training.checkpoint import StateFolder, fingerprint
from emotag.training.loop import train
from emotag.training.person import Files, Person
from emotag.training.progress import Progress
from emotag.training.stored import keeper

log = logging.getLogger(__name__)


def run(
    *,
    head: Path,
    start: Path,
    names: list[str],
    subject: list[Path],
    identity: list[Path],
    geometry: list[Path],
    tracks: list[Path],
    action_units: list[Path],
    sync: list[Path],
    emotion: list[Path],
    speech: list[Path],
    crop: list[Path],
    alpha: list[Path],
    labels: list[Path],
    clips: list[str],
    curation: list[Path],
    state: Path,
    out: Path,
    config: RenderedConfig,
    method: str = "emotag",
    threads: int = 1,
) -> None:
    """Train on the people `names`; all other lists have one file a person, `start` is the first phase's prior. Whose clip
    (of `clips`) was rejected in `curation` is left out."""
    torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    columns = (subject, identity, geometry, tracks, action_units, sync, emotion, speech, crop, alpha, labels)
    people = people_of(names, clips, columns, left_out_by(curation))
    chosen, model, begun = methods.load(method), models.load(head), Prior.load(start)
    network = grmn.load(begun.network, begun.architecture)
    sizes = mouth_field.MouthArchitecture(network.architecture.width, gated=config.mouth_gate == "learned")
    company = curriculum.Company(network, mouth_field.begun(chosen.mouth_field(sizes, torch.zeros(1, 3)), begun.mouth))
    trained = chosen.rendered_scopes["all" if begun.scores["network_used"] else "shut"]
    if network.acted:
        trained = methods.beside_network(trained)
    inputs = [start, *(path for files in people.values() for path in files.listed())]
    key = fingerprint(config.model_dump(mode="json"), stage.code(f"emotag.methods.{method}"), inputs)
    with StateFolder(state, key) as folder:
        scenes = []
        for name, files in people.items():
            person = Person.load(files, config, network.architecture.windows, keeper(folder.path))
            cloud = person.first_cloud(model, config)
            company.join(model, person, cloud, own_space(person, network, begun))
            scenes.append(person.scene(network, trained, config, threads, Hold.of(model, person.shape, cloud)))
            log.info("%s: %d frames, %d Gaussians", name, len(person.frames), len(cloud))
        schedule = curriculum.phases(scenes, config, trained)
        every = config.checkpoint_every
        train(
            company, schedule, folder, Progress(folder.progress, "rendered"), seed=config.seed, checkpoint_every=every
        )
    replace(
        begun,
        network=network.arrays(),
        mouth=company.mouth.weights(),
        scores=begun.scores | {"rendered_people": sorted(people)},
        people=sorted({*begun.people, *people}),
    ).save(out, stage.provenance())


def own_space(person: Person, network: grmn.GatedResidualMotionNetwork, begun: Prior) -> statistics.MotionStatistics:
    """The statistics of one person's motion and cues, as adaptation takes them."""
    upper = channels.upper_face(begun.motion_names)
    return statistics.of_person(person.motion, person.source.action_units, network.statistics().scale, upper)


def people_of(
    names: list[str], clips: list[str], columns: tuple[list[Path], ...], rejected: dict[str, str]
) -> dict[str, Files]:
    """Each person's files, without those whose clip is among the `rejected`.

    Raises:
        ConfigError: there is nobody, or a list is of another length.
    """
    counts = {len(column) for column in (clips, *columns)}
    if counts != {len(names)}:
        raise ConfigError(
            f"rendered phase: found {len(names)} people and lists of {sorted(counts)} entries, expected one entry a person "
            "in each; correct the call"
        )
    for clip in sorted(rejected.keys() & set(clips)):
        log.warning("%s is left out: %s", clip, rejected[clip])
    rows = zip(names, clips, *columns, strict=True)
    people = {name: Files(*files) for name, clip, *files in rows if clip not in rejected}
    if not people:
        raise ConfigError(
            "rendered phase: found 0 people to show it (curation may have rejected all), expected at least one; add clips, "
            "or set pretrain.rendered.iterations to 0"
        )
    return people


if __name__ == "__main__":
    stage.main(run, gpu=True)
