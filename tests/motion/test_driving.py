"""Driving variants: what each takes from where, and that nothing of the test part's lower face can leak."""

import numpy as np
import pytest
import torch

from emotag.artifacts import ActionUnits, Identity, Speech
from emotag.motion import cues, driving
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork
from emotag.types import UPPER_FACE_AUS

UNITS, FEATURES, SHAPE, WIDTH = 4, 12, 5, 32
NAMES = ("AU26", *UPPER_FACE_AUS, "AU12")
LOWER = torch.tensor([False, False, True, True, True, True, True])


def speech(seconds, seed):
    rng = np.random.default_rng(seed)
    tokens = 50 * seconds
    prosody = [rng.normal(size=tokens).astype(np.float32) for _ in range(3)]
    return Speech(rng.normal(size=(tokens, FEATURES)).astype(np.float32), *prosody, provider="p", revision="r")


def driven_by(units, seed=3, form=cues.gather):
    intensity = np.random.default_rng(seed).uniform(0, 5, (25, len(NAMES))).astype(np.float32)
    intensity[:, units] = 0
    identity = Identity(np.ones(SHAPE, np.float32), [0], "p")
    frames = np.arange(25)
    return form(speech(1, seed), frames, 0.4, ActionUnits(list(NAMES), intensity, "p"), frames, identity)


@pytest.fixture
def network():
    torch.manual_seed(0)
    built = GatedResidualMotionNetwork(
        Architecture(UNITS + 3, FEATURES, SHAPE, components=6, width=WIDTH, layers=1, heads=4, feedforward=64)
    )
    for parameter in built.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    built.space.basis.normal_()
    return built.eval()


@pytest.fixture
def material(random_codes):
    pose, adapted = (random_codes(25, UNITS, WIDTH, seed).replaced(condition=torch.zeros(25, WIDTH)) for seed in (1, 2))
    return driving.Material(pose, driven_by([]), adapted, driven_by([], seed=9), LOWER)


@pytest.mark.parametrize("variant", ["avatar", "frozen", "nearest"])
def test_tracked_expression_of_the_test_part_does_not_leak(network, material, variant):
    other = material.pose.replaced(expression=torch.rand(25, UNITS), jaw=torch.rand(25, 3))
    spoilt = driving.Material(other, material.cues, material.adapted, material.adapted_cues, LOWER)
    make = driving.VARIANTS[variant]
    torch.testing.assert_close(
        driving.motion_of(make(network, spoilt)), driving.motion_of(make(network, material)), rtol=0, atol=0
    )


def test_lower_face_action_units_are_no_cue():
    plain, without = driven_by([]), driven_by([0, len(NAMES) - 1])
    torch.testing.assert_close(plain.action_units, without.action_units, rtol=0, atol=0)
    assert plain.action_units.shape == (25, 6)


def test_frozen_has_the_mean_mouth(network, material):
    motion = driving.motion_of(driving.frozen(network, material))
    mean = driving.motion_of(material.adapted).mean(0)
    torch.testing.assert_close(motion[:, LOWER], mean[LOWER].expand(25, -1))
    upper = driving.motion_of(driving.avatar(network, material))[:, ~LOWER]
    torch.testing.assert_close(motion[:, ~LOWER], upper)


def test_nearest_finds_the_frame_itself(network, material):
    own = driving.Material(material.adapted, material.adapted_cues, material.adapted, material.adapted_cues, LOWER)
    motion = driving.motion_of(driving.nearest(network, own))
    torch.testing.assert_close(motion[:, LOWER], driving.motion_of(material.adapted)[:, LOWER])


def test_upper_bound_is_the_tracked_motion(network, material):
    bound = driving.upper_bound(network, material)
    torch.testing.assert_close(driving.motion_of(bound), driving.motion_of(material.pose))


def test_chunks_make_no_difference(network, material, monkeypatch):
    whole = driving.motion_of(driving.avatar(network, material))
    monkeypatch.setattr(driving, "CHUNK_FRAMES", 7)
    torch.testing.assert_close(driving.motion_of(driving.avatar(network, material)), whole, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("variant", driving.VARIANTS)
def test_a_long_recording_is_heard_in_parts_to_the_same_bits(network, material, variant, monkeypatch):
    monkeypatch.setattr(driving, "CHUNK_FRAMES", 7)
    long = driving.Material(
        material.pose, driven_by([], form=cues.source), material.adapted, material.adapted_cues, LOWER
    )
    make = driving.VARIANTS[variant]
    assert torch.equal(driving.motion_of(make(network, long)), driving.motion_of(make(network, material)))
