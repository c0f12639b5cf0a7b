"""Adaptation: an avatar of one person from the adaptation part of one clip (EmoTaG, Sec. 3.4).

Reads: head, Subject, Identity, Geometry, Prior, and of the clip: Tracks, ActionUnits, sync.json, Emotion, Speech, crop.mp4,
alpha.mkv, labels.mkv. Writes: an Avatar. State (checkpoints, progress) goes below `state`; a killed run resumes from it.
"""

import logging
from pathlib import Path

import numpy as np
import torch

from emotag import methods, stage
from emotag.artifacts import ActionUnits, Avatar, Emotion, Geometry, Identity, Prior, Speech, Subject, Tracks
from emotag.config import AdaptConfig
from emotag.errors import ArtifactMismatch
from emotag.gaussians.deformer import RiggedDeformer, mouth_points
from emotag.gaussians.person import first_cloud, seen_beyond
from emotag.gaussians.placement import join
from emotag.gaussians.trunk import Trunk
from emotag.geometry.camera import Camera
from emotag.head import models
from emotag.io.artifact import read_json
from emotag.motion import channels, cues, grmn, lip_space
from emotag.motion.codes import Codes
from emotag.motion.mouth_field import MouthArchitecture, canonical_positions
from emotag.motion.personalise import Strength, personalise
from emotag.render import backends
from emotag.render.photometric import Photometric
from emotag.training import adaptation, footage
from emotag.training.appearance import AdaptedAvatar, Scene, frozen_tokens
from emotag.training.checkpoint import StateFolder, fingerprint
from emotag.training.loop import train
from emotag.training.progress import Progress

logger = logging.getLogger(__name__)


def run(
    *,
    head: Path,
    subject: Path,
    identity: Path,
    geometry: Path,
    prior: Path,
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
    """Adapt to `name` on the part of the clip that the subject was fitted on."""
    torch.set_num_threads(threads)
    torch.manual_seed(config.seed)
    chosen = methods.load(method)
    model, person, start = models.load(head), Subject.load(subject), Prior.load(prior)
    check_head(start, model.name, channels.motion_names(model.expression_names))
    tracked, heard = Tracks.load(tracks), Speech.load(speech)
    frames = np.arange(*person.part)
    offset = read_json(sync, "offset_frames")["offset_frames"]
    driven = cues.gather(heard, frames, offset, ActionUnits.load(action_units), frames, Identity.load(identity))
    motion = np.concatenate([tracked.expression, tracked.jaw], 1)[frames]
    network = grmn.load(start.network, start.architecture)
    network = personalise(
        network,
        motion,
        *(tensor.numpy() for tensor in (driven.speech, driven.prosody, driven.action_units, driven.identity)),
        channels.upper_face(start.motion_names),
        lip_space.lip_jacobian(model, person.shape, person.landmark_offsets, motion.mean(0)),
        lip_space.usual_jacobian(model, network.statistics().mean),
        Strength(amplitude=config.amplitude),
    )
    shape = torch.from_numpy(person.shape)
    camera = Camera.from_dict(person.camera).resized(config.size_px, config.size_px)
    seen = footage.load(crop, alpha, labels, Geometry.load(geometry), config.size_px)
    footage.check_geometry(seen, config)
    trunk = Trunk.mean_of(tracked.rotation[frames], tracked.translation[frames])
    views = footage.views(seen, model, tracked, frames)
    cloud = join(
        [
            first_cloud(model, person, config.gaussians, config.sh_degree, config.seed),
            seen_beyond(model, person, views, trunk, camera, config.gaussians, config.sh_degree, config.seed),
        ]
    )
    logger.info("%d Gaussians, %d of them beyond the mesh", len(cloud), len(cloud) - config.gaussians)
    mouth_architecture = MouthArchitecture(condition=network.architecture.width)
    mouth = chosen.mouth_field(mouth_architecture, canonical_positions(mouth_points(model, shape, cloud)))
    avatar = AdaptedAvatar(RiggedDeformer(model, shape, cloud, mouth, trunk), network, len(frames))
    trained = chosen.adapt_scopes[config.scope]
    scene = Scene(
        footage=seen,
        tracked=Codes.from_tracks(tracked, frames, network.architecture.width),
        cues=driven,
        teacher=torch.from_numpy(Emotion.load(emotion).probabilities[frames].astype(np.float32)),
        camera=camera,
        renderer=backends.load("auto", threads, config.antialiased),
        photometric=Photometric(threads),
        config=config,
        tokens=frozen_tokens(network, driven, trained),
    )
    inputs = [subject, identity, geometry, prior, tracks, action_units, sync, emotion, speech, crop, alpha, labels]
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
        trunk=trunk.to_arrays(),
        architecture={
            "network": network.architecture.plain(),
            "mouth": mouth_architecture.plain(),
            "antialiased": config.antialiased,
        },
        identity=name,
        scope=config.scope,
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
