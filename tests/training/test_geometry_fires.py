"""Eq. 14 through adaptation's own schedule, from the geometry file to the Gaussians.

EmoTaG's released code reads depth and normals only where the transforms file is called train, which it never is, so its
geometry loss never acts and nothing says so. Here the loss of every joint step is looked at, and a file without anything to
compare with is refused.
"""

import numpy as np
import pytest
import torch
from torch import nn

from emotag.artifacts import Geometry
from emotag.config import AdaptConfig
from emotag.errors import ArtifactMismatch
from emotag.gaussians.cloud import GaussianCloud
from emotag.geometry.camera import Camera
from emotag.io.video import write_gray, write_video
from emotag.motion.codes import Codes
from emotag.motion.cues import Cues
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork
from emotag.render.base import Splats
from emotag.render.photometric import Photometric
from emotag.render.reference import TorchRenderer
from emotag.tracking.regions import INDEX
from emotag.training import adaptation, footage
from emotag.training.appearance import AdaptedAvatar, Scene
from emotag.training.checkpoint import StateFolder
from emotag.training.loop import train
from emotag.training.progress import Progress, read

SIZE, FRAMES, COUNT = 24, 4, 80


class Sheet:
    """Gaussians in a plane in front of the camera, in place of a head; it does not move."""

    def __init__(self):
        generator = torch.Generator().manual_seed(0)
        across = 0.1 * (torch.rand(COUNT, 2, generator=generator) - 0.5)
        mean = torch.cat([across, torch.full((COUNT, 1), -0.5)], 1)
        self.cloud = GaussianCloud(
            mean=mean,
            quaternion=torch.tensor([1.0, 0.3, 0, 0]).repeat(COUNT, 1),
            log_scale=torch.full((COUNT, 3), -5.0),
            opacity_logit=torch.full((COUNT,), 2.0),
            sh=torch.zeros(COUNT, 1, 3),
            triangle=torch.zeros(COUNT),
            region=torch.zeros(COUNT),
        )
        self.mouth = nn.Linear(1, 1)

    def __call__(self, codes, mouth_moves=True):
        count = len(codes)
        cloud = self.cloud
        turned = cloud.quaternion / cloud.quaternion.norm(dim=-1, keepdim=True)
        parts = (cloud.mean, turned, cloud.scale, cloud.opacity)
        return Splats(*(part[None].expand(count, *part.shape) for part in parts), sh=cloud.sh[None])


def geometry(path, mask):
    """A slope in depth whose normals look up: nothing that a plane facing the camera agrees with."""
    depth = np.broadcast_to(np.linspace(0.4, 0.6, 12)[:, None], (FRAMES, 12, 12))
    normal = np.broadcast_to([0, 127, 0], (FRAMES, 12, 12, 3))
    Geometry(depth.astype(np.float16), normal.astype(np.int8), mask, [0, FRAMES], "sapiens").save(path)
    return Geometry.load(path)


def footage_of(folder, mask):
    rng = np.random.default_rng(0)
    write_video(folder / "crop.mp4", list(rng.integers(0, 255, (FRAMES, SIZE, SIZE, 3), np.uint8)))
    write_gray(folder / "alpha.mkv", np.full((FRAMES, SIZE, SIZE), 255, np.uint8))
    write_gray(folder / "labels.mkv", np.full((FRAMES, SIZE, SIZE), INDEX["skin"], np.uint8))
    files = (folder / f"{name}" for name in ("crop.mp4", "alpha.mkv", "labels.mkv"))
    return footage.load(*files, geometry(folder / "geometry.safetensors", mask), SIZE)


def scene_of(seen, config):
    torch.manual_seed(0)
    sizes = {"components": 4, "width": 16, "layers": 1, "heads": 2, "feedforward": 16, "dropout": 0.0}
    network = GatedResidualMotionNetwork(Architecture(5, 4, 2, **sizes))
    zeros = {"jaw": 3, "neck": 3, "eyes": 6, "rotation": 3, "translation": 3, "emotion": 7, "condition": 16}
    codes = Codes(
        expression=torch.zeros(FRAMES, 2),
        gate=torch.ones(FRAMES, 1),
        **{k: torch.zeros(FRAMES, n) for k, n in zeros.items()},
    )
    scene = Scene(
        footage=seen,
        tracked=codes,
        cues=Cues(torch.rand(FRAMES, 16, 4), torch.rand(FRAMES, 16, 3), torch.rand(FRAMES, 6), torch.rand(2)),
        teacher=torch.full((FRAMES, 7), 1 / 7),
        camera=Camera(100.0, 100.0, SIZE / 2, SIZE / 2, SIZE, SIZE),
        renderer=TorchRenderer(),
        photometric=Photometric(1),
        config=config,
    )
    return scene, AdaptedAvatar(Sheet(), network, FRAMES)


@pytest.fixture
def seen(tmp_path):
    return footage_of(tmp_path, np.ones((FRAMES, 12, 12), bool))


def test_every_joint_step_has_a_geometry_loss_that_counts(seen, tmp_path):
    config = AdaptConfig(static_iterations=1, iterations=3, size_px=32)
    scene, avatar = scene_of(seen, config)
    footage.check_geometry(seen, config)
    with StateFolder(tmp_path / "state", "job") as state:
        progress = Progress(state.progress, "adapt", every=1, quiet=True)
        train(avatar, adaptation.phases(scene, config, ("network",)), state, progress, seed=0)
        lines = read(state.progress)
    joint = [line["losses"] for line in lines if line["phase"] == "joint"]
    assert len(joint) == 3 and all(losses["depth"] > 0.1 and losses["normal"] > 0.1 for losses in joint)


@pytest.mark.parametrize("name", ["depth", "normal"])
def test_its_gradient_reaches_the_gaussians_with_its_weight(seen, name):
    config = AdaptConfig(size_px=32)
    scene, avatar = scene_of(seen, config)
    joint = adaptation.phases(scene, config, ("network",))[1]
    assert joint.weights[name] > 0
    joint.objective(torch.arange(2), avatar)[name].backward()
    moved = avatar.cloud.mean if name == "depth" else avatar.cloud.quaternion
    assert moved.grad.abs().max() > 1e-3


def test_geometry_without_a_pixel_is_refused_unless_its_loss_is_off(tmp_path):
    empty = footage_of(tmp_path, np.zeros((FRAMES, 12, 12), bool))
    with pytest.raises(ArtifactMismatch, match="loss of Eq. 14 could not act"):
        footage.check_geometry(empty, AdaptConfig())
    with pytest.raises(ArtifactMismatch, match="could not act"):
        footage.check_geometry(empty, AdaptConfig(weight_depth=0))
    footage.check_geometry(empty, AdaptConfig(weight_depth=0, weight_normal=0))
