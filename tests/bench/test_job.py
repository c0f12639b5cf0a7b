"""The job's bench on a ball for a head: what it scales, counts and writes, not how long anything takes."""

import json

import pytest
import torch

from emotag.artifacts import Avatar
from emotag.bench import job, scenes
from emotag.bench.__main__ import main
from emotag.config import AdaptConfig, GeometryConfig
from emotag.gaussians.cloud import HEAD, MOUTH
from emotag.gaussians.deformer import RiggedDeformer, mouth_points
from emotag.gaussians.placement import initialise
from emotag.gaussians.trunk import Trunk
from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.methods import load as load_method
from emotag.motion import grmn
from emotag.motion.codes import Codes
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork
from emotag.motion.mouth_field import MouthArchitecture, canonical_positions
from emotag.training.appearance import frozen_tokens

FRAMES, UNITS = 5, 2


class Ball:
    """A head model of an octahedron that only its pose moves."""

    name, expression_names = "ball", ("a", "b")
    faces = torch.tensor([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
    rest = 0.1 * torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])

    def vertices(self, shape, expression, jaw, neck, eyes, rotation, translation):
        return self.rest @ axis_angle_to_matrix(rotation).transpose(1, 2) + translation[:, None]

    def soft_limits(self, expression):
        return expression


@pytest.fixture
def driven():
    head, architecture = Ball(), MouthArchitecture(condition=16)
    region = torch.tensor([MOUTH] * 2 + [HEAD] * 6)
    cloud = initialise(head.rest, head.faces, torch.ones(8, dtype=torch.bool), 120, torch.rand(6, 3), region, 1)
    shape = torch.zeros(3)
    field = load_method("emotag").mouth_field(architecture, canonical_positions(mouth_points(head, shape, cloud)))
    trunk = Trunk(torch.eye(3), torch.tensor([0.0, 0.0, -0.6]))
    sizes = {
        "expression": UNITS,
        "jaw": 3,
        "neck": 3,
        "eyes": 6,
        "rotation": 3,
        "gate": 1,
        "emotion": 7,
        "condition": 16,
    }
    codes = {name: torch.zeros(FRAMES, size) for name, size in sizes.items()}
    place = torch.tensor([[0.0, 0.0, -0.6]]).repeat(FRAMES, 1)
    camera = Camera(100.0, 100.0, 32.0, 32.0, 64, 64)
    return scenes.Driven(RiggedDeformer(head, shape, cloud, field, trunk), Codes(**codes, translation=place), camera)


@pytest.fixture
def avatar():
    architecture = Architecture(
        UNITS + 3, features=8, identity=4, components=4, width=16, layers=1, heads=2, feedforward=16
    )
    network = GatedResidualMotionNetwork(architecture)
    empty = {}
    return Avatar(
        "ball", [], empty, network.arrays(), empty, empty, {"network": architecture.plain()}, "someone", "adain", 0
    )


def test_avatar_at_another_scale_covers_as_much(driven):
    config = AdaptConfig(gaussians=2 * AdaptConfig().gaussians, size_px=96, sh_degree=2)
    found = job.scaled(driven, config)
    old, new = driven.deformer.cloud, found.deformer.cloud
    assert (len(new), new.sh.shape[1], found.camera.width) == (2 * len(old), 9, 96)
    area = [cloud.scale[:, [0, 2]].prod(-1).sum() for cloud in (old, new)]
    torch.testing.assert_close(area[1], area[0], rtol=1e-4, atol=0)
    assert torch.equal(new.region[::2], old.region) and not new.sh[:, 4:].any()


def test_every_part_runs_and_is_counted(driven, avatar):
    config = AdaptConfig(size_px=64)
    found = job.parts(driven, avatar, config, GeometryConfig(size_px=32))
    rows = [
        {"preset": "laptop", "part": part, "gaussians": 120} | job.measure(*calls, 1) for part, calls in found.items()
    ]
    assert [row["part"] for row in rows] == ["draw", "film", "static", "joint"]
    for row in rows:
        assert row["per_second_2"] == pytest.approx(1e3 / row["wall_ms_2"]) and row["core_ms"] > 0
    assert found["draw"][1] == FRAMES and found["joint"][1] == 1
    result = {"machine": {}, "rows": rows}
    assert "joint" in job.table(result) and json.dumps(result)


def test_training_steps_train(driven, avatar):
    before = driven.deformer.cloud.mean.detach().clone()
    steps = job.parts(driven, avatar, AdaptConfig(size_px=64), GeometryConfig(size_px=32))["static"][0]
    steps[1]()
    assert not torch.equal(driven.deformer.cloud.mean, before)


def test_without_an_avatar_it_is_told(capsys):
    assert main(["job"]) == 2
    assert "expected a trained avatar" in capsys.readouterr().err


def test_tokens_are_kept_only_while_their_layers_stand_still(driven, avatar):
    scene = job.scene_of(driven, avatar, AdaptConfig(size_px=64), GeometryConfig(size_px=32))
    network = grmn.load(avatar.network, avatar.architecture["network"])
    tokens = frozen_tokens(network, scene.cues, ("network.speech.adain.", "mouth."))
    torch.testing.assert_close(tokens, network.tokens(scene.cues.speech, scene.cues.prosody))
    for trained in ("network.", "network.speech.mlp.", "network.speech.transformer.layers.0"):
        assert frozen_tokens(network, scene.cues, (trained,)) is None
