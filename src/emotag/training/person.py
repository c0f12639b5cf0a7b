"""One person as training material: what is known of the adaptation part, the Gaussians it begins with, and its scene."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import ActionUnits, Emotion, Geometry, Identity, Speech, Subject, Tracks
from emotag.config import PictureConfig
from emotag.gaussians.cloud import GaussianCloud
from emotag.gaussians.lids import Hold
from emotag.gaussians.person import first_cloud, seen_beyond
from emotag.gaussians.placement import join
from emotag.gaussians.trunk import Trunk
from emotag.geometry.camera import Camera
from emotag.head.base import HeadModel
from emotag.io.artifact import read_json
from emotag.motion import cues
from emotag.motion.codes import Codes
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.render import backends
from emotag.render.photometric import Photometric
from emotag.training import footage
from emotag.training.appearance import Scene, frozen_tokens
from emotag.training.footage import Footage
from emotag.training.stored import Keeper


@dataclass(frozen=True)
class Files:
    """The artifacts and videos of one person's adaptation part."""

    subject: Path
    identity: Path
    geometry: Path
    tracks: Path
    action_units: Path
    sync: Path
    emotion: Path
    speech: Path
    crop: Path
    alpha: Path
    labels: Path

    def listed(self) -> list[Path]:
        """All of them, in order."""
        return [getattr(self, name) for name in self.__dataclass_fields__]


@dataclass(frozen=True)
class Person:
    """T `frames` of a clip, by their numbers in `tracks`: `footage`, `driven` by `source`; `teacher` [T, 7]."""

    subject: Subject
    tracks: Tracks
    frames: np.ndarray
    source: cues.Source
    teacher: Tensor
    footage: Footage
    camera: Camera
    trunk: Trunk

    @classmethod
    def load(cls, files: Files, config: PictureConfig, windows: str, keep: Keeper | None = None) -> Self:
        """Read everything; pictures are kept in files where `keep` is given, else in memory. `windows` is how the network's
        architecture cuts speech.

        Raises:
            ArtifactMismatch: on this geometry its loss could not act.
        """
        subject, tracks = Subject.load(files.subject), Tracks.load(files.tracks)
        frames = np.arange(*subject.part)
        offset = read_json(files.sync, "offset_frames")["offset_frames"]
        units, identity = ActionUnits.load(files.action_units), Identity.load(files.identity)
        shown = (files.crop, files.alpha, files.labels, Geometry.load(files.geometry), config.size_px)
        seen = footage.load(*shown) if keep is None else footage.load_stored(*shown, keep)
        footage.check_geometry(seen, config)
        return cls(
            subject=subject,
            tracks=tracks,
            frames=frames,
            source=cues.source(Speech.load(files.speech), frames, offset, units, frames, identity, windows),
            teacher=torch.from_numpy(Emotion.load(files.emotion).probabilities[frames].astype(np.float32)),
            footage=seen,
            camera=Camera.from_dict(subject.camera).resized(config.size_px, config.size_px),
            trunk=Trunk.mean_of(tracks.rotation[frames], tracks.translation[frames]),
        )

    @property
    def motion(self) -> np.ndarray:
        """[T, C] tracked expression, then jaw."""
        return np.concatenate([self.tracks.expression, self.tracks.jaw], 1)[self.frames]

    @property
    def shape(self) -> Tensor:
        """[S] of the head."""
        return torch.from_numpy(self.subject.shape)

    def first_cloud(self, head: HeadModel, config: PictureConfig) -> GaussianCloud:
        """Gaussians on the mesh, and for what is seen beyond it."""
        density = (config.gaussians, config.sh_degree, config.seed)
        views = footage.views(self.footage, head, self.tracks, self.frames)
        on_mesh = first_cloud(head, self.subject, *density)
        return join([on_mesh, seen_beyond(head, self.subject, views, self.trunk, self.camera, *density)])

    def scene(
        self,
        network: GatedResidualMotionNetwork,
        trained: Sequence[str],
        config: PictureConfig,
        threads: int,
        lids: Hold,
        heard: cues.Cues | cues.Source | None = None,
    ) -> Scene:
        """What objectives need beside the model. `trained` are prefixes of what trains of the networks; `lids` holds those of
        the person's cloud; `heard` is the source or its cues, if they are at hand."""
        return Scene(
            footage=self.footage,
            tracked=Codes.from_tracks(self.tracks, self.frames, network.architecture.width),
            cues=self.source if heard is None else heard,
            teacher=self.teacher,
            camera=self.camera,
            renderer=backends.load("auto", threads, config.antialiased),
            photometric=Photometric(threads),
            config=config,
            tokens=frozen_tokens(network, heard, trained) if isinstance(heard, cues.Cues) else None,
            lids=lids,
        )
