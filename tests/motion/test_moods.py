"""Emotion in motion space: what is slow, what is left over, what setting an emotion does."""

import numpy as np
import pytest
import torch

from emotag.motion import driving, moods, personalise
from emotag.motion.channels import upper_face
from emotag.motion.codes import Codes
from emotag.motion.cues import Cues
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork
from emotag.motion.statistics import MotionStatistics
from emotag.types import EMOTIONS, NEUTRAL

HAPPY = EMOTIONS.index("happy")
SMALL = {"channels": 8, "features": 10, "identity": 4, "components": 6, "width": 32, "layers": 1, "heads": 4}


@pytest.fixture
def network(corpus):
    torch.manual_seed(0)
    built = GatedResidualMotionNetwork(Architecture(**SMALL, feedforward=48)).eval()
    generator = torch.Generator().manual_seed(3)
    for parameter in built.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=generator)
    built.space.basis.normal_(generator=generator)
    upper = torch.from_numpy(upper_face(corpus.motion_names))
    built.skip.speech_weight.normal_(generator=generator).mul_(~upper)
    built.skip.cue_weight.normal_(generator=generator).mul_(upper)
    built.set_statistics(MotionStatistics(np.full(8, 0.3), np.linspace(0.02, 0.05, 8), np.full(6, 0.1)))
    built.residual_scale.copy_(torch.linspace(0.05, 0.3, 8))
    built.mood_latent.normal_(generator=generator)
    built.mood_cues.uniform_(generator=generator)
    return built.requires_grad_(False)


def cues(frames, seed=0):
    generator = torch.Generator().manual_seed(seed)
    sizes = ((frames, 16, 10), (frames, 16, 3), (frames, 6), (4,))
    return Cues(*(torch.rand(size, generator=generator) for size in sizes))


def driven(network, random_codes, mood=None):
    return driving.motion_of(driving.network_codes(network, random_codes(40, 5, 32, 1), cues(40), mood))


def constant(strength, frames=40):
    mood = torch.zeros(frames, 7)
    mood[:, HAPPY] = strength
    return mood


def test_slow_keeps_what_stays_and_takes_out_syllables():
    times = torch.arange(250) / 25
    signal = torch.stack([torch.ones(250), torch.sin(2 * np.pi * 4 * times)], 1)
    low = moods.slow(signal)
    assert torch.allclose(low[:, 0], torch.ones(250), atol=1e-5) and low[50:-50, 1].abs().max() < 1e-5


def test_setting_an_emotion_is_linear_in_its_strength(network, random_codes):
    calm, half, full = (driven(network, random_codes, constant(s)) for s in (0.0, 0.5, 1.0))
    assert torch.allclose(half - calm, (full - calm) / 2, atol=1e-5) and (full - calm).abs().max() > 1e-3


def test_what_is_set_does_not_touch_articulation(network, random_codes, corpus):
    """The lips' movement in time is that of the base branch, whatever is set."""
    lower = ~upper_face(corpus.motion_names)
    calm, full = (driven(network, random_codes, constant(s))[:, lower] for s in (0.0, 1.0))
    assert torch.allclose(calm.diff(dim=0), full.diff(dim=0), atol=1e-6)


def test_set_cues_move_the_upper_face_alone(network, random_codes, corpus):
    network.emotion.shut()
    upper = torch.from_numpy(upper_face(corpus.motion_names))
    moved = (driven(network, random_codes, constant(1.0)) - driven(network, random_codes, constant(0.0))).abs().amax(0)
    assert moved[upper].min() > 1e-4 and moved[~upper].max() < 1e-5


def test_neutral_is_no_mood(network):
    strength = torch.zeros(2, 7)
    strength[1, NEUTRAL] = 1.0
    _, gate, _, units = network.mood(strength)
    assert not gate.any() and not units.any()


def test_residual_is_as_large_in_everybody(network):
    before = network.mood(constant(1.0, 1))[0] * network.motion_scale
    network.set_statistics(MotionStatistics(np.zeros(8), np.full(8, 0.2), np.zeros(6)))
    assert torch.allclose(before, network.mood(constant(1.0, 1))[0] * network.motion_scale, atol=1e-6)


def test_opening_is_left_to_speech(network, corpus):
    jacobian = np.random.default_rng(0).normal(size=(8, 4)) * ~upper_face(corpus.motion_names)[:, None]
    network.emotion.project(personalise.without_opening(network, jacobian))
    moved = (network.mood(constant(1.0, 1))[0] * network.motion_scale)[0].numpy() @ jacobian
    assert np.abs(moved[[0, 3]]).max() < 1e-4 and np.abs(moved[[1, 2]]).max() > 1e-3


def test_left_over_is_around_the_calm_face(network, corpus):
    upper = upper_face(corpus.motion_names)
    for clip in corpus.emotion:
        corpus.emotion[clip][:] = np.eye(7)[NEUTRAL] if clip != "clip0" else np.eye(7)[HAPPY]
    people = dict.fromkeys(corpus.people, "one")
    found = moods.neutral_statistics(type(corpus)(**{**vars(corpus), "people": people}), np.full(8, 0.03), upper)
    calm = np.concatenate([corpus.motion[clip] for clip in sorted(corpus.motion) if clip != "clip0"])
    assert np.allclose(found["one"].mean, calm.mean(0))


def test_codes_say_what_was_set(network, random_codes):
    codes = driving.network_codes(network, random_codes(40, 5, 32, 1), cues(40), constant(0.5))
    assert isinstance(codes, Codes) and torch.allclose(codes.gate, torch.full((40, 1), 0.5))


def test_calm_frames_of_a_person_are_where_the_corpus_calm_is(network):
    seen = cues(30, seed=5)
    network.calm_gate.fill_(-1.0)
    spoken = network.space.components(seen.speech), network.space.prosody(seen.prosody), network.cues(seen.action_units)
    network.expect(*network.felt(*spoken, seen.identity))
    out = network.from_components(*spoken, seen.identity)
    assert torch.allclose(torch.logit(out.gate).mean(), torch.tensor(-1.0), atol=1e-4)
    assert torch.allclose(out.emotion.mean(0), network.mood_latent[NEUTRAL], atol=1e-4)
