"""Shipping: half the bytes, the same lips."""

import json

import numpy as np
import pytest
import torch

from emotag.artifacts import Prior
from emotag.errors import ArtifactMismatch
from emotag.motion import channels, grmn
from emotag.motion.personalise import personalise
from emotag.stages import ship_prior

NAMES = ["eyeBlinkLeft", "mouthFunnel", "mouthClose", "jaw_x", "jaw_y", "jaw_z"]
SETTINGS = json.dumps({"talkers": {"seed": 0}, "pretrain": {"seed": 3}})


@pytest.fixture
def prior(tmp_path):
    """With a ridge and branches that speak, and taps that hang together as those of speech do."""
    torch.manual_seed(0)
    network = grmn.GatedResidualMotionNetwork(grmn.Architecture(len(NAMES), 12, 5, components=8, width=32, layers=1))
    with torch.no_grad():
        for name, buffer in network.named_buffers():
            if name.endswith(("basis", "weight")):
                buffer.copy_(0.1 * torch.randn_like(buffer))
        taps = torch.randn(400, 56) @ torch.randn(56, 56)
        network.skip.speech_moment.copy_(taps.T @ taps / 400 + 56 * torch.eye(56))
        network.motion_scale.fill_(0.05)
        network.base.weight.normal_(0, 0.02)
    path = tmp_path / "prior.safetensors"
    scores = {"ridge": 0.5, "network": 0.6, "network_used": True}
    mouth = {"base.last.weight": np.full((10, 8), 0.1, np.float32)}
    Prior("test", NAMES, network.arrays(), network.architecture.plain(), scores, ["a"], mouth).save(path)
    return path


def ship(prior, folder):
    places = {"out": folder / "small.safetensors", "out_card": folder / "small.json", "out_page": folder / "README.md"}
    ship_prior.run(prior=prior, settings=SETTINGS, made_of='["m@1"]', commit="c" * 40, **places)
    return places


def spoken(path):
    """[T, C] motion of a person adapted from the prior, on other frames."""
    prior = Prior.load(path)
    rng = np.random.default_rng(0)
    sizes = {"speech": (60, 16, 12), "prosody": (60, 16, 3), "action_units": (60, 6), "identity": (5,)}
    given = {name: rng.normal(size=size).astype(np.float32) for name, size in sizes.items()}
    motion = 0.05 * rng.normal(size=(60, len(NAMES)))
    jacobian = rng.normal(size=(len(NAMES), 4))
    upper = channels.upper_face(NAMES)
    network = personalise(
        grmn.load(prior.network, prior.architecture), motion, *given.values(), upper, jacobian, jacobian
    )
    other = [torch.from_numpy(rng.normal(size=size).astype(np.float32)) for size in sizes.values()]
    with torch.no_grad():
        return network.restore(network(*other).motion).numpy()


def test_half_the_bytes_and_the_same_motion(prior, tmp_path):
    small = ship(prior, tmp_path)["out"]
    assert small.stat().st_size < 0.65 * prior.stat().st_size
    whole, rounded = spoken(prior), spoken(small)
    assert np.abs(whole - rounded).max() < 0.01 * whole.std(0).max()
    kept = Prior.load(small)
    assert kept.network["space.basis"].dtype == np.float32 and kept.network["backbone.0.weight"].dtype == np.float16
    assert kept.mouth["base.last.weight"].dtype == np.float16


def test_the_card_says_what_it_is(prior, tmp_path):
    places = ship(prior, tmp_path)
    card, page = json.loads(places["out_card"].read_text()), places["out_page"].read_text()
    assert card["bytes"] == places["out"].stat().st_size and card["code"] == ["m@1"]
    assert card["settings"]["pretrain"]["seed"] == 3 and "0.600 (network)" in page and "training 3" in page


def test_numbers_that_half_precision_does_not_have_stay():
    large = np.full((2, 2), 1e6, np.float32)
    assert ship_prior.rounded(large) is large


def test_a_file_too_large_to_ship_is_refused(prior, tmp_path, monkeypatch):
    monkeypatch.setattr(ship_prior, "MOST_BYTES", 1000)
    with pytest.raises(ArtifactMismatch, match="expected at most 1000"):
        ship(prior, tmp_path)
