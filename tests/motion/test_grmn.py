"""Gated residual motion network: shapes, start, gate, gradients, streaming, storage."""

import numpy as np
import pytest
import torch

from emotag.errors import ArtifactMismatch
from emotag.motion import grmn
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork

SMALL = {"channels": 9, "features": 12, "identity": 5, "components": 6, "width": 32, "layers": 2, "heads": 4}
VARIANTS = [("audio", "z7"), ("audio_au", "z7"), ("audio", "z64"), ("audio_au", "z64")]


def network(base_input="audio", latent="z7"):
    torch.manual_seed(0)
    built = GatedResidualMotionNetwork(Architecture(**SMALL, feedforward=48, base_input=base_input, latent=latent))
    for name, buffer in built.named_buffers():
        if name.startswith("skip.") and not name.endswith("moment") or name == "space.basis":
            buffer.normal_()
    return built.eval()


def inputs(frames=7):
    generator = torch.Generator().manual_seed(1)
    return (
        torch.randn(frames, 16, 12, generator=generator),
        torch.randn(frames, 16, 3, generator=generator),
        torch.rand(frames, 6, generator=generator) * 5,
        torch.randn(5, generator=generator),
    )


def disturb(built):
    """Move every parameter off its start, so that nothing is zero by initialisation."""
    for parameter in built.parameters():
        parameter.data += 0.05 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(2))
    return built


@pytest.mark.parametrize(("base_input", "latent"), VARIANTS)
def test_shapes_and_composition(base_input, latent):
    out = disturb(network(base_input, latent))(*inputs())
    assert out.motion.shape == out.base.shape == out.residual.shape == (7, 9)
    assert (out.gate.shape, out.emotion.shape, out.condition.shape) == ((7, 1), (7, 7), (7, 32))
    assert torch.equal(out.motion, out.base + out.gate * out.residual)
    assert ((out.gate > 0) & (out.gate < 1)).all()


@pytest.mark.parametrize(("base_input", "latent"), VARIANTS)
def test_starts_at_the_ridge_bit_for_bit(base_input, latent):
    built = network(base_input, latent)
    speech, prosody, action_units, identity = inputs()
    ridge = built.skip(built.space.components(speech), action_units / 5 - built.cue_mean)
    assert torch.equal(built(speech, prosody, action_units, identity).motion, ridge)


def test_shut_network_is_the_ridge_again():
    built = disturb(network())
    built.shut()
    speech, prosody, action_units, identity = inputs()
    ridge = built.skip(built.space.components(speech), action_units / 5 - built.cue_mean)
    assert torch.equal(built(speech, prosody, action_units, identity).motion, ridge)


@pytest.mark.parametrize(("base_input", "latent"), VARIANTS)
def test_gradient_reaches_every_parameter(base_input, latent):
    built = disturb(network(base_input, latent))
    out = built(*inputs())
    (out.motion.square().sum() + out.emotion.square().sum() + out.gate.sum()).backward()
    silent = [name for name, p in built.named_parameters() if p.grad is None or not p.grad.abs().sum() > 0]
    assert silent == []


def test_base_reads_cues_only_in_its_variant():
    for base_input, moves in (("audio", False), ("audio_au", True)):
        built = disturb(network(base_input))
        built.skip.cue_weight.zero_()
        speech, prosody, action_units, identity = inputs()
        still = built(speech, prosody, action_units, identity).base
        moved = built(speech, prosody, action_units + 1, identity).base
        assert torch.equal(still, moved) != moves


def test_streaming_equals_whole_clip():
    built = disturb(network())
    speech, prosody, action_units, identity = inputs(20)
    whole = built(speech, prosody, action_units, identity)
    for start, stop in ((0, 1), (1, 8), (8, 20)):
        part = built(speech[start:stop], prosody[start:stop], action_units[start:stop], identity)
        assert torch.allclose(part.motion, whole.motion[start:stop], atol=1e-5)
        assert torch.allclose(part.condition, whole.condition[start:stop], atol=1e-5)


def test_sustained_level_is_not_lost_by_the_skip_path():
    built = network()
    _, prosody, action_units, identity = inputs(1)
    low, high = (built(torch.full((1, 16, 12), level), prosody, action_units[:1], identity) for level in (0.0, 1.0))
    assert (low.motion - high.motion).abs().max() > 0.1


def test_restore_is_the_inverse_of_the_statistics():
    built = network()
    built.motion_mean.normal_()
    built.motion_scale.uniform_(0.5, 2)
    motion = np.random.default_rng(0).normal(size=(4, 9))
    standard = torch.from_numpy(built.statistics().standardise(motion)).float()
    assert np.allclose(built.restore(standard).numpy(), motion, atol=1e-5)


def test_cues_are_those_of_the_statistics():
    built = network()
    built.cue_mean.uniform_(0, 1)
    units = np.random.default_rng(1).uniform(0, 5, (4, 6))
    cues = built.cues(torch.from_numpy(units).float()).numpy()
    assert np.allclose(cues, built.statistics().cues(units), atol=1e-6)


def test_adain_parameters_are_those_of_the_two_modulations():
    names = set(network().adain_parameters())
    assert {name.split(".modulation")[0] for name in names} == {"speech.adain", "action_units"}
    assert len(names) == 8


def test_stored_and_loaded_network_gives_the_same_bits():
    built = disturb(network())
    loaded = grmn.load(built.arrays(), built.architecture.plain())
    assert torch.equal(loaded(*inputs()).motion, built(*inputs()).motion)


def test_wrong_weights_are_refused_with_a_reason():
    built = network()
    with pytest.raises(ArtifactMismatch, match="make the prior again"):
        grmn.load(built.arrays(), built.architecture.plain() | {"channels": 8})
    with pytest.raises(ArtifactMismatch, match="expected one of"):
        grmn.load(built.arrays(), built.architecture.plain() | {"latent": "z3"})


def test_tokens_made_beforehand_change_nothing():
    """Nothing below the adaptive normalisation knows whose speech it is."""
    built = network().eval()
    disturb(built)
    speech, prosody, units, identity = inputs()
    tokens = built.tokens(speech, prosody)
    plain, given = built(speech, prosody, units, identity), built(speech, prosody, units, identity, tokens)
    for name in ("motion", "gate", "emotion", "condition"):
        assert torch.equal(getattr(plain, name), getattr(given, name)), name


ABLATIONS = [{"gate": "open"}, {"residual": "none"}, {"modulation": "none"}, {"prosody": "none"}]


def ablated(**choices):
    torch.manual_seed(0)
    return disturb(GatedResidualMotionNetwork(Architecture(**SMALL, feedforward=48, **choices)).eval())


def test_open_gate_shows_the_whole_residual():
    out = ablated(gate="open")(*inputs())
    assert torch.equal(out.gate, torch.ones(7, 1)) and torch.equal(out.motion, out.base + out.residual)


def test_without_residual_motion_is_the_base():
    built = ablated(residual="none")
    out = built(*inputs())
    assert torch.equal(out.motion, out.base) and not out.residual.any() and not out.emotion.any()
    built.shut()


def test_without_modulation_the_identity_is_not_heard_and_nothing_of_it_trains():
    built, (speech, prosody, cues, identity) = ablated(modulation="none"), inputs()
    assert not built.adain_parameters()
    assert torch.equal(built(speech, prosody, cues, identity).motion, built(speech, prosody, cues, -identity).motion)
    full = disturb(network())
    assert not torch.equal(full(speech, prosody, cues, identity).motion, full(speech, prosody, cues, -identity).motion)


def test_without_prosody_loudness_and_pitch_are_not_heard():
    built, (speech, prosody, cues, identity) = ablated(prosody="none"), inputs()
    assert torch.equal(built(speech, prosody, cues, identity).motion, built(speech, 3 * prosody, cues, identity).motion)


@pytest.mark.parametrize("choices", ABLATIONS)
def test_ablations_are_kept_in_the_artifact(choices):
    built = ablated(**choices)
    again = grmn.load(built.arrays(), built.architecture.plain())
    assert torch.equal(again(*inputs()).motion, built(*inputs()).motion)


@pytest.mark.parametrize("choices", ABLATIONS)
def test_ablations_are_refused_by_unknown_names(choices):
    with pytest.raises(ArtifactMismatch, match=next(iter(choices))):
        Architecture(**SMALL, **dict.fromkeys(choices, "maybe"))
