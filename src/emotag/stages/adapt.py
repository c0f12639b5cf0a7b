"""Adaptation: an avatar of one person from the adaptation part of one clip (EmoTaG, Sec. 3.4).

Reads: head, Subject, Identity, Geometry, Prior, Articulation (or none), and of the clip: Tracks, ActionUnits, sync.json,
Emotion, Speech, crop.mp4, alpha.mkv, labels.mkv. Writes: an Avatar. State (checkpoints, progress) goes below `state`; a
killed run resumes from it.
"""

import logging
from pathlib import Path

import torch

from emotag import methods, stage
from emotag.artifacts import Avatar, Prior, Speech
from emotag.config import AdaptConfig
from emotag.errors import ArtifactMismatch
from emotag.gaussians.deformer import RiggedDeformer, mouth_points
from emotag.gaussians.lids import Hold
from emotag.head import models
from emotag.motion import articulation as articulations
from emotag.motion import channels, grmn, lip_space
from emotag.motion.mouth_field import MouthArchitecture, begun, canonical_positions
from emotag.motion.personalise import Strength, hearing, personalise
from emotag.training import adaptation
from emotag.training.appearance import AdaptedAvatar
from emotag.training.checkpoint import StateFolder, fingerprint
from emotag.training.loop import train
from emotag.training.person import Files, Person
from emotag.training.progress import Progress

logger = logging.getLogger(__name__)


def run(
    *,
    head: Path,
    subject: Path,
    identity: Path,
    geometry: Path,
    prior: Path,
    articulation: list[Path],
    tracks: Path,
    action_units: Path,
    sync: Path,
    emotion: Path,
    speech: Path,
    crop: Path,
    alpha: Path,
    labels: Path,
    name: str,
    state: Path,
    out: Path,
    config: AdaptConfig,
    method: str = "emotag",
    threads: int = 1,
) -> None:
    """Adapt to `name` on the part of the clip that the subject was fitted on; `articulation`: none or one file."""
    torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    chosen = methods.load(method)
    files = Files(subject, identity, geometry, tracks, action_units, sync, emotion, speech, crop, alpha, labels)
    model, start = models.load(head), Prior.load(prior)
    check_head(start, model.name, channels.motion_names(model.expression_names))
    general = grmn.load(start.network, start.architecture)
    for path in articulation if config.articulation else ():
        general = hearing(general, articulations.load(path, Speech.load(speech).revision))
    person = Person.load(files, config, general.architecture.windows)
    driven, motion = person.source[:], person.motion
    network = personalise(
        general,
        motion,
        *(tensor.numpy() for tensor in (driven.speech, driven.prosody, driven.action_units, driven.identity)),
        channels.upper_face(start.motion_names),
        lip_space.lip_jacobian(model, person.subject.shape, person.subject.landmark_offsets, motion.mean(0)),
        lip_space.usual_jacobian(model, general.statistics().mean),
        Strength(amplitude=config.amplitude),
    )
    cloud = person.first_cloud(model, config)
    logger.info("%d Gaussians, %d of them beyond the mesh", len(cloud), len(cloud) - config.gaussians)
    mouth_architecture = MouthArchitecture(network.architecture.width, gated=config.mouth_gate == "learned")
    positions = canonical_positions(mouth_points(model, person.shape, cloud))
    mouth = begun(chosen.mouth_field(mouth_architecture, positions), start.mouth)
    avatar = AdaptedAvatar(RiggedDeformer(model, person.shape, cloud, mouth, person.trunk), network, len(person.frames))
    scope = chosen.adapted(config.scope, network.acted)
    if scope != config.scope:
        logger.info("emotion was learnt from actors: the motion network stays, scope %s is %s", config.scope, scope)
    trained = chosen.adapt_scopes[scope]
    scene = person.scene(network, trained, config, threads, Hold.of(model, person.shape, cloud), driven)
    if start.mouth:
        scene = scene.with_conditions(network)
    inputs = [prior, *articulation, *files.listed()]
    key = fingerprint(config.model_dump(mode="json"), stage.code(f"emotag.methods.{method}"), inputs)
    with StateFolder(state, key) as folder:
        schedule = adaptation.phases(scene, config, trained)
        every = config.checkpoint_every
        train(avatar, schedule, folder, Progress(folder.progress, "adapt"), seed=config.seed, checkpoint_every=every)
    Avatar(
        head_model=model.name,
        motion_names=list(start.motion_names),
        gaussians=cloud.to_arrays(),
        network=network.arrays(),
        mouth=mouth.arrays(),
        trunk=person.trunk.to_arrays(),
        architecture={
            "network": network.architecture.plain(),
            "mouth": mouth_architecture.plain(),
            "antialiased": config.antialiased,
        },
        identity=name,
        scope=scope,
        seed=config.seed,
    ).save(out, stage.provenance() | {"renderer": scene.renderer.name})


def check_head(prior: Prior, head_model: str, motion_names: list[str]) -> None:
    """A prior speaks the motion of one head model only.

    Raises:
        ArtifactMismatch: it is another one.
    """
    if (prior.head_model, list(prior.motion_names)) != (head_model, motion_names):
        raise ArtifactMismatch(
            f"prior: found head model {prior.head_model!r} with {len(prior.motion_names)} channels, expected "
            f"{head_model!r} with {len(motion_names)}; pretrain with the head model that tracked the clip"
        )


if __name__ == "__main__":
    stage.main(run, gpu=True)
