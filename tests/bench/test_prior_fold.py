"""Priors from sums over people are the ridges of their frames; who is left out of which."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emotag.bench import prior_network
from emotag.bench.prior_fold import Fold, Moments, dealt, ridge_alone, with_ridge
from emotag.motion import channels, closed_form, corpora, prior, statistics
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


def test_the_penalty_counts_once():
    x = np.random.default_rng(1).normal(size=(200, 5))
    sums = Moments(x.T @ x, x.T @ x[:, :2], 200.0)
    expected = closed_form.moment(x, np.ones(200), RIDGE)
    np.testing.assert_allclose(sums.ridge()[1], expected)
    np.testing.assert_allclose(sums.ridge()[0], closed_form.ridge_regression(x, x[:, :2], np.ones(200), expected))


@pytest.fixture()
def fold(fitted, corpus, tmp_path):
    """Talkers are `corpus`; of five real people in six clips the first and last are its fold."""
    corpus.save(tmp_path / "talkers.safetensors", {})
    real = linear_corpus(people=6, seconds=4, seed=5)
    clips = {name: f"r{name}" for name in real.motion}
    columns = {column: {clips[n]: v for n, v in getattr(real, column).items()} for column in corpora.ARRAYS}
    people = {clip: f"p{min(number, 4)}" for number, clip in enumerate(clips.values())}
    offsets = dict.fromkeys(people, 0.0)
    real = replace(real, **columns, people=people, offset_frames=offsets)
    return Fold(real, ["rclip0", "rclip4", "rclip5"], tmp_path / "talkers.safetensors", fitted[0], tmp_path)


def test_a_fold_speaks_its_talkers_motion_space(fold, fitted):
    network, _, upper = fitted
    np.testing.assert_allclose(fold.network.motion_scale, network.motion_scale)
    np.testing.assert_allclose(fold.sums.ridge()[0] * ~upper, network.skip.speech_weight, atol=1e-5)


def test_a_ridge_alone_moves_as_the_network_it_was_taken_from(fitted):
    network, clips, _ = fitted
    run = clips[1].read(0, 50)
    given = (run.components, run.prosody, run.cues, run.identity)
    torch.testing.assert_close(
        ridge_alone(network).from_components(*given).motion, network.from_components(*given).base
    )


def test_real_ridges_leave_all_clips_of_the_person_out(fold):
    parts = {clip: fold.own(clip, np.arange(100)) for clip in fold.real.people}
    for clip, left in (("rclip0", ["rclip0"]), ("rclip5", ["rclip4", "rclip5"])):
        expected = sum(parts[other].inputs for other in parts if other not in left)
        np.testing.assert_allclose(fold.others(clip).inputs, expected)
        assert fold.others(clip).weight == 100 * (6 - len(left))


def test_networks_see_nobody_of_the_fold(fold, monkeypatch):
    def remember(material, people, real, ridge, state):
        return prior_network.Trained(
            (people, real, ridge, state.name), [], torch.ones(1), {"ridge": 0.5, "network": 0.6}
        )

    monkeypatch.setattr(prior_network, "trained", remember)
    talkers, none, no_ridge, state = fold.trained("synthetic", "grmn").network
    assert (talkers, none, no_ridge, state) == (fold.talkers.people, set(), False, "synthetic-grmn")
    both, real, ridge, _ = fold.trained("both", "ridge+grmn").network
    assert (real, ridge, set(both) - set(talkers)) == ({"p1", "p2", "p3"}, True, {"rclip1", "rclip2", "rclip3"})
    assert fold.trained("both", "ridge+grmn").kept


def test_people_are_dealt_in_turn_with_all_their_clips():
    people = {"a1": "a", "b1": "b", "a2": "a", "c1": "c", "d1": "d"}
    assert dealt(people, 3) == [["a1", "a2", "d1"], ["b1"], ["c1"]]
