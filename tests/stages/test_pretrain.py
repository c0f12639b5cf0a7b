"""The prior's stage on a small corpus: what it stores, what it says, that it resumes and repeats itself."""

import numpy as np
import pytest

from emotag.artifacts import Corpus, Prior
from emotag.config import PretrainConfig
from emotag.motion import grmn
from emotag.stages import pretrain

NAMES = ["eyeBlinkLeft", "mouthFunnel", "jaw_x"]


def made(path, provider, prefix="clip"):
    """Four people whose motion is a linear map of noise."""
    rng = np.random.default_rng(0)
    mixing, clips = rng.normal(size=(6, 3)), [f"{prefix}{number}" for number in range(4)]
    features = {clip: rng.normal(size=(120, 6)).astype(np.float32) for clip in clips}
    material = Corpus(
        head_model="test",
        motion_names=NAMES,
        motion={clip: 0.1 * (features[clip][::2] @ mixing).astype(np.float32) for clip in clips},
        action_units={clip: rng.uniform(0, 5, (60, 6)).astype(np.float32) for clip in clips},
        emotion={clip: rng.dirichlet(np.ones(7), 60).astype(np.float32) for clip in clips},
        identity={clip: rng.normal(size=4).astype(np.float32) for clip in clips},
        features=features,
        prosody={clip: rng.uniform(0, 1, (120, 3)).astype(np.float32) for clip in clips},
        people={clip: clip for clip in clips},
        offset_frames={clip: 0.0 for clip in clips},
        provider=provider,
    )
    material.save(path)
    return path


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    return made(tmp_path_factory.mktemp("corpus") / "corpus.safetensors", "clips")


@pytest.fixture(scope="module")
def talkers(tmp_path_factory):
    return made(tmp_path_factory.mktemp("talkers") / "corpus.safetensors", "synthetic/whisper/1", "talker")


def fit(corpus, folder, *more, actors=(), **settings):
    config = PretrainConfig(**{"iterations": 0, "batch_windows": 2, "window_frames": 4} | settings)
    pretrain.run(
        corpus=[corpus, *more],
        actors=list(actors),
        out=folder / "prior.safetensors",
        state=folder / "state",
        config=config,
    )
    return Prior.load(folder / "prior.safetensors")


def test_ridge_alone_when_there_is_nothing_to_train(corpus, tmp_path):
    prior = fit(corpus, tmp_path)
    network = grmn.load(prior.network, prior.architecture)
    assert prior.scores["network_used"] is False and prior.scores["left_out_people"] == ["clip2"]
    assert prior.scores["ridge"] > 0.3
    assert not network.base.weight.any() and network.skip.speech_weight.any()
    assert prior.people == sorted(prior.people) and prior.motion_names == NAMES


def test_the_prior_keeps_how_its_windows_are_cut(corpus, tmp_path):
    plain, whole = (fit(corpus, tmp_path / cut, windows=cut) for cut in ("between", "tokens"))
    assert (plain.architecture["windows"], whole.architecture["windows"]) == ("between", "tokens")
    assert grmn.load(whole.network, whole.architecture).space.windows == "tokens"
    assert not np.array_equal(plain.network["skip.speech_weight"], whole.network["skip.speech_weight"])


def test_network_that_does_not_help_is_shut_and_runs_repeat(corpus, tmp_path):
    first, second = (fit(corpus, tmp_path / name, iterations=2) for name in ("a", "b"))
    assert first.scores["network_used"] is False and "emotion" not in first.scores
    network = grmn.load(first.network, first.architecture)
    assert not network.base.weight.any() and not network.emotion.decoder[-1].weight.any()
    assert (tmp_path / "a" / "prior.safetensors").read_bytes() == (tmp_path / "b" / "prior.safetensors").read_bytes()
    assert second.scores == first.scores


def test_variants_of_the_settings_reach_the_network(corpus, tmp_path):
    prior = fit(corpus, tmp_path, ridge=False, latent="z64", base_input="audio_au")
    assert (prior.architecture["latent"], prior.architecture["base_input"]) == ("z64", "audio_au")
    assert not prior.network["skip.speech_weight"].any() and prior.scores["network_used"] is True


def test_real_people_judge_where_there_are_enough_and_talkers_teach_beside_them(corpus, talkers, tmp_path):
    prior = fit(corpus, tmp_path, talkers)
    assert prior.scores["left_out_people"] == ["clip2"]
    assert prior.people == sorted([f"clip{n}" for n in range(4)] + [f"talker{n}" for n in range(4)])


@pytest.mark.parametrize("which", ["clips", "synthetic"])
def test_talkers_made_by_code_cannot_vouch_for_a_network(corpus, talkers, tmp_path, monkeypatch, which):
    def trained(network, *_):
        return {"network": 2.0, "best_step": 1}

    monkeypatch.setattr(pretrain, "train_network", trained)
    prior = fit({"clips": corpus, "synthetic": talkers}[which], tmp_path, iterations=1)
    assert prior.scores["network_used"] is (which == "clips")


def test_actors_teach_emotion_and_the_base_branch_stays_shut(corpus, talkers, tmp_path):
    first, second = (fit(corpus, tmp_path / name, actors=[talkers], emotion_iterations=3) for name in ("a", "b"))
    network = grmn.load(first.network, first.architecture)
    assert not network.base.weight.any() and network.emotion.decoder[-1].weight.any()
    assert network.residual_scale.all() and network.mood_latent.any() and network.calm_gate.any()
    assert set(first.scores["emotion"]["seen"]) == {"kl", "top1", "gate", "motion"}
    assert first.scores == second.scores
    assert all((first.network[name] == second.network[name]).all() for name in first.network)
    alone = fit(corpus, tmp_path / "c")
    assert (alone.network["skip.speech_weight"] == first.network["skip.speech_weight"]).all()


def test_no_actors_where_emotion_is_not_asked_for(corpus, talkers, tmp_path):
    prior = fit(corpus, tmp_path, actors=[talkers], emotion_iterations=0)
    assert not prior.network["residual_scale"].any() and "emotion" not in prior.scores
