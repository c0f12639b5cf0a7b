"""Priors from sums over people are the ridges of their frames, and people are dealt into folds."""

import numpy as np
import pytest
import torch

from emotag.artifacts import Prior
from emotag.bench.prior_choice import Fold, Moments, dealt, with_ridge
from emotag.motion import channels, closed_form, prior, statistics
from emotag.motion.examples import examples_of
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork
from emotag.motion.prior import RIDGE
from linear_corpus import linear_corpus


@pytest.fixture(scope="module")
def corpus():
    return linear_corpus(people=4, seconds=10)


@pytest.fixture(scope="module")
def fitted(corpus):
    """A network with the ridge of all clips, and these."""
    network = GatedResidualMotionNetwork(
        Architecture(channels=8, features=10, identity=4, components=10, width=16, layers=1, heads=2, feedforward=16)
    )
    upper = channels.upper_face(corpus.motion_names)
    prior.fit_inputs(network, corpus, sorted(corpus.people))
    pooled, people = statistics.of_people(corpus.motion, corpus.action_units, corpus.people, upper)
    network.set_statistics(prior.pooled_statistics(pooled, people))
    clips = examples_of(corpus, sorted(corpus.people), network.space, people)
    prior.fit_ridge(network, clips, upper)
    return network.requires_grad_(False), clips, upper


def test_sums_of_people_give_the_ridge_of_all_their_frames(fitted):
    network, clips, upper = fitted
    first, *rest = (Moments.of([clip]) for clip in clips)
    solved, moment = sum(rest, first).ridge()
    np.testing.assert_allclose(solved * ~upper, network.skip.speech_weight, atol=1e-5)
    np.testing.assert_allclose(moment, network.skip.speech_moment, rtol=1e-4, atol=1e-4)
    other = with_ridge(network, first, upper)
    assert torch.equal(other.skip.cue_weight, network.skip.cue_weight)
    assert not torch.equal(other.skip.speech_weight, network.skip.speech_weight)


def test_a_stored_ridge_gives_its_sums_back(fitted):
    network, clips, upper = fitted
    kept = Prior("test", [], network.arrays(), network.architecture.plain(), {}, ["a", "b", "c", "d"])
    back, sums = Moments.shipped(kept), Moments.of(clips)
    assert back.weight == sums.weight == 1000
    np.testing.assert_allclose(back.inputs, sums.inputs, rtol=1e-3, atol=0.1)
    np.testing.assert_allclose((back.targets - sums.targets) * ~upper, 0, atol=0.1)


def test_the_penalty_counts_once():
    x = np.random.default_rng(1).normal(size=(200, 5))
    sums = Moments(x.T @ x, x.T @ x[:, :2], 200.0)
    expected = closed_form.moment(x, np.ones(200), RIDGE)
    np.testing.assert_allclose(sums.ridge()[1], expected)
    np.testing.assert_allclose(sums.ridge()[0], closed_form.ridge_regression(x, x[:, :2], np.ones(200), expected))


def test_a_fold_speaks_its_talkers_motion_space(fitted, corpus, tmp_path):
    network, clips, upper = fitted
    corpus.save(tmp_path / "talkers.safetensors", {})
    fold = Fold.of(2, tmp_path / "talkers.safetensors", network)
    np.testing.assert_allclose(fold.network.motion_scale, network.motion_scale)
    np.testing.assert_allclose(fold.sums.ridge()[0] * ~upper, network.skip.speech_weight, atol=1e-5)


def test_people_are_dealt_in_turn_with_all_their_clips():
    people = {"a1": "a", "b1": "b", "a2": "a", "c1": "c", "d1": "d"}
    assert dealt(people, 3) == {"a": 0, "b": 1, "c": 2, "d": 0}
