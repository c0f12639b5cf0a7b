"""Networks as priors: what they may see, and what each way of adaptation moves."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emotag.bench import prior_network
from emotag.motion import statistics
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork
from linear_corpus import linear_corpus

PART = np.arange(10, 110)


@pytest.fixture(scope="module")
def corpus():
    return linear_corpus(people=7, seconds=5)


@pytest.fixture(autouse=True)
def few_steps(monkeypatch):
    sizes = {"iterations": 2, "batch_windows": 2, "window_frames": 4}
    monkeypatch.setattr(prior_network, "BUDGET", prior_network.BUDGET.model_copy(update=sizes))


@pytest.fixture()
def person(corpus):
    torch.manual_seed(3)
    network = GatedResidualMotionNetwork(
        Architecture(channels=8, features=10, identity=4, components=10, width=32, layers=1, heads=2, feedforward=32)
    )
    torch.nn.init.normal_(network.base.weight, std=0.1)
    own = statistics.of_person(
        corpus.motion["clip0"], corpus.action_units["clip0"], np.full(8, 0.05), np.zeros(8, bool)
    )
    network.set_statistics(own)
    return network.eval().requires_grad_(False)


def error(network, part):
    out = network.from_components(part.components, part.prosody, part.cues, part.identity)
    return float((out.motion - part.target).square().mean())


def changed(before, after):
    pairs = zip(before.named_parameters(), after.parameters(), strict=True)
    return {name for (name, old), new in pairs if not torch.equal(old, new)}


def test_nothing_of_those_left_out_is_seen(corpus, tmp_path):
    spoilt = {"motion": {**corpus.motion, "clip3": np.full_like(corpus.motion["clip3"], np.nan)}}
    people = {clip: who for clip, who in corpus.people.items() if clip != "clip3"}
    real = set(people.values())
    found = prior_network.trained(replace(corpus, **spoilt), people, real, True, tmp_path)
    assert all(np.isfinite(value).all() for value in found.network.arrays().values())
    # The corpus is linear: the ridge follows people it has not seen.
    assert found.found["ridge"] > 0.8 and {"network", "best_step"} <= set(found.found)
    again = prior_network.trained(replace(corpus, **spoilt), people, real, True, tmp_path)
    assert again.found == found.found
    assert all(
        np.array_equal(a, b)
        for a, b in zip(found.network.arrays().values(), again.network.arrays().values(), strict=True)
    )


def test_without_ridge_there_is_none(corpus, tmp_path):
    found = prior_network.trained(corpus, corpus.people, set(), False, tmp_path)
    assert found.found["ridge"] == 0 and not torch.count_nonzero(found.network.skip.speech_weight)
    assert not found.network.training and not any(p.requires_grad for p in found.network.parameters())


def test_adain_finds_the_adain_that_made_the_motion(corpus, person, monkeypatch):
    part = prior_network.part_of(corpus, "clip0", person, PART)
    assert len(part) == len(PART)
    true = {name: value.clone() for name, value in person.named_parameters()}
    generator = torch.Generator().manual_seed(0)
    bias = person.speech.adain.modulation.last.bias
    bias.add_(0.3 * torch.randn(bias.shape, generator=generator))
    spoken = person.from_components(part.components, part.prosody, part.cues, part.identity).motion
    bias.copy_(true["speech.adain.modulation.last.bias"])
    part = replace(part, target=spoken)
    monkeypatch.setattr(prior_network, "ADAIN_STEPS", 300)
    monkeypatch.setattr(prior_network, "RATE", 5e-3)
    found = prior_network.adain(person, part, torch.ones(8))
    assert error(found, part) < 0.2 * error(person, part)
    assert changed(person, found) and all(".modulation." in name for name in changed(person, found))


def test_everything_learns_the_part_and_the_corpus_alike(corpus, person, tmp_path, monkeypatch):
    part = prior_network.part_of(corpus, "clip0", person, PART)
    drawn = []
    objective = prior_network.METHOD.prior_objective(torch.ones(8))

    def watched(weights):
        return lambda batch, network: drawn.append(batch) or objective(batch, network)

    monkeypatch.setattr(prior_network, "METHOD", replace(prior_network.METHOD, prior_objective=watched))
    prior_of = prior_network.Trained(person, [replace(part, target=part.target + 100)], torch.ones(8), {})
    found = prior_network.everything(person, part, prior_of)
    assert all(len(batch.target) == 2 for batch in drawn)
    assert all(batch.target[0].max() < 50 < batch.target[1].min() for batch in drawn)
    assert "speech.convolution.weight" in changed(person, found) and not found.training


def test_alone_knows_no_prior(corpus, person):
    part = prior_network.part_of(corpus, "clip0", person, PART)
    found = prior_network.alone(person, part, torch.ones(8))
    torch.nn.init.normal_(person.backbone[0].weight)
    again = prior_network.alone(person, part, torch.ones(8))
    assert not changed(found, again)
    assert torch.equal(found.motion_mean, person.motion_mean)
