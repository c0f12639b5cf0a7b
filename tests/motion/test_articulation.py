"""Articulation: what it computes, that it is silent until opened, and whose lips follow it."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import erf

from emotag.artifacts import Articulation
from emotag.audio.windows import frame_times
from emotag.errors import ArtifactMismatch
from emotag.motion import scores
from emotag.motion.articulation import listening, sizes_of
from emotag.motion.examples import speech_windows
from emotag.motion.personalise import DOUBT, JUDGED, SHARES, articulated_share, hearing, personalise
from linear_corpus import fitted, frames_of, predicted

ROOT = Path(__file__).resolve().parents[2]
# Channels 2 to 5 of the linear corpus are the four measures.
MEASURES = np.eye(8)[:, 2:6]


def arrays(features=10, components=5, width=12, seed=4):
    random = np.random.default_rng(seed)
    sizes = (7 * components, width, width, 4)
    built = {"mean": random.normal(size=features), "basis": random.normal(size=(features, components))}
    for number, (inside, outside) in enumerate(zip(sizes, sizes[1:], strict=False)):
        built[f"weight{number}"] = 2 * random.normal(size=(outside, inside)) / np.sqrt(inside)
        built[f"bias{number}"] = random.normal(size=outside)
    return {name: array.astype(np.float32) for name, array in built.items()}


@pytest.fixture(scope="module")
def ready(corpus):
    clips = sorted(corpus.motion)
    return fitted(corpus, clips[:-1]), clips[-1]


def heard_by(network, frames):
    return network.articulation.measures(torch.from_numpy(np.asarray(frames[1], np.float32))).numpy()


def follower(frames, heard):
    """The frames of somebody whose lips do what is heard."""
    motion = frames[0].copy()
    motion[:, 2:6] = 0.3 + 0.02 * (heard - heard.mean(0)) / heard.std(0)
    return motion, *frames[1:]


def test_measures_are_three_layers_of_the_ridge_s_taps(ready):
    (network, *_), _ = ready
    given = arrays()
    speech = np.random.default_rng(0).normal(size=(3, 16, 10)).astype(np.float32)
    spoken = (speech - given["mean"]) @ given["basis"]
    hidden = ((spoken[:, 1:15:2] + spoken[:, 2:16:2]) / 2).reshape(3, -1)
    for number in range(3):
        hidden = hidden @ given[f"weight{number}"].T + given[f"bias{number}"]
        if number < 2:
            hidden = hidden * (1 + erf(hidden / np.sqrt(2))) / 2
    found = hearing(network, given).articulation.measures(torch.from_numpy(speech)).numpy()
    np.testing.assert_allclose(found, hidden, rtol=1e-4, atol=1e-4)


def test_whole_recordings_are_heard_as_their_windows_are(corpus, ready):
    (network, *_), clip = ready
    frames, times = np.arange(20, 60), frame_times(np.arange(20, 60), 0.3)
    speech, _ = speech_windows(corpus.features[clip], corpus.prosody[clip], frames, 0.3)
    whole = listening(arrays()).predict(corpus.features[clip], times)
    windows = hearing(network, arrays()).articulation.measures(torch.from_numpy(np.asarray(speech, np.float32)))
    np.testing.assert_allclose(whole, windows.numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("lost", ["weight1", "bias0"])
def test_a_network_that_lacks_an_array_is_refused(lost):
    with pytest.raises(ArtifactMismatch, match=f"{lost}.*make it again"):
        listening({name: array for name, array in arrays().items() if name != lost})


def test_it_moves_nothing_until_a_person_opens_it(corpus, ready):
    (network, *_), clip = ready
    frames = frames_of(corpus, clip, 0, 20)
    listening = hearing(network, arrays())
    assert np.array_equal(predicted(listening, frames), predicted(network, frames))
    assert listening.architecture.articulation_width == 12 and network.articulation is None


def test_lips_that_follow_it_are_given_to_it(corpus, ready):
    (network, _, upper), clip = ready
    listening = hearing(network, arrays())
    frames = frames_of(corpus, clip, 0, 150)
    told = follower(frames, heard_by(listening, frames))
    part, later = ([a[start:stop] for a in told[:4]] + [told[4]] for start, stop in ((0, 100), (100, 150)))
    without, with_it = (personalise(n, *part, upper, MEASURES, MEASURES) for n in (network, listening))
    right = scores.correlation(predicted(with_it, later), later[0])[2:6]
    wrong = scores.correlation(predicted(without, later), later[0])[2:6]
    assert (right > 0.97).all() and (wrong < right - 0.05).all()
    opened = with_it.articulation.reach.numpy()
    assert opened[:, 2:6].any() and not opened[:, upper].any()
    # Kept with the person, as everything of the network is.
    again = {name: array for name, array in with_it.arrays().items() if name.startswith("articulation.")}
    assert np.array_equal(again["articulation.reach"], opened)


def test_lips_that_do_not_are_the_ridge_s(corpus, ready):
    (network, _, upper), clip = ready
    part, later = frames_of(corpus, clip, 0, 100), frames_of(corpus, clip, 100, 150)
    without, with_it = (
        predicted(personalise(n, *part, upper, MEASURES, MEASURES), later)
        for n in (network, hearing(network, arrays()))
    )
    np.testing.assert_allclose(with_it, without, atol=0.1 * without[:, 2:6].std())


def test_share_is_what_the_evidence_says():
    random = np.random.default_rng(1)
    ridge, heard = random.normal(size=(2, 125, 4))
    assert articulated_share(ridge, np.zeros_like(heard), ridge) == 0
    assert articulated_share(ridge, heard, 3 * heard) > 0.95 > 0.05 > articulated_share(ridge, heard, 2 * ridge)
    assert articulated_share(ridge, heard, ridge + heard) == pytest.approx(0.5, abs=0.05)
    # Alike, they leave nothing to choose by, nor do lips that stand still: what was thought before remains.
    before = np.exp(-DOUBT * SHARES) @ SHARES / np.exp(-DOUBT * SHARES).sum()
    assert articulated_share(ridge, ridge, heard) == pytest.approx(before)
    assert articulated_share(ridge, heard, np.zeros_like(heard)) == pytest.approx(before)
    # Protrusion has no say.
    unsure = 2 * ridge
    unsure[:, 2] = heard[:, 2]
    assert 2 not in JUDGED
    assert articulated_share(ridge, heard, unsure) == pytest.approx(articulated_share(ridge, heard, 2 * ridge))


def test_the_shipped_one_hears_the_default_speech():
    file = ROOT / "data/articulation/articulation.safetensors"
    shipped = Articulation.load(file)
    assert file.stat().st_size < 3_000_000
    assert shipped.speech_provider == "whisper" and shipped.arrays["basis"].shape[0] == 768
    assert sizes_of(shipped.arrays) == {"articulation_components": 128, "articulation_width": 512}
    assert all(np.isfinite(array.astype(np.float32)).all() for array in shipped.arrays.values())


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("articulation_tool", ROOT / "data/articulation/train.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_made_up_words_are_spelt_as_the_language_is(tool):
    for voice in tool.VOICES:
        written = " ".join(tool.sentences_of(voice)).lower().split()
        known = ["".join(letter for letter in word if letter.isalpha()) for word in written]
        triples = {word[i : i + 3] for word in known for i in range(len(word) - 2)}
        words = [tool.made_up_word(np.random.default_rng(seed), voice) for seed in range(40)]
        assert all(tool.LETTERS[0] <= len(word) <= tool.LETTERS[1] for word in words)
        assert len(set(words)) > 25 and not set(words) <= set(known)
        inside = [word[i : i + 3] for word in words for i in range(len(word) - 2)]
        assert all(triple in triples for triple in inside)
        assert words[3] == tool.made_up_word(np.random.default_rng(3), voice)


def test_who_is_judged_reads_nothing(tool):
    """The speakers of the synthetic corpus are heard in no reading, and no sentence of theirs is read."""
    spoken = {speaker[0] for speaker in tool.make.SPEAKERS}
    assert spoken <= tool.SPARED
    theirs = (ROOT / "data/takes/sentences.json").read_text(encoding="utf-8")
    assert not any(sentence in theirs for voice in tool.VOICES for sentence in tool.sentences_of(voice))
