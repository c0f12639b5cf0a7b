"""The fit of the viseme table: a known table is found again through features, at the scale of a speaker's deviation."""

import numpy as np
import pytest

from emotag.synthetic.lip_fit import SeenLips, Spoken, document, fit
from emotag.synthetic.visemes import MEASURES, pitch_course, regressors

NAMES = ["AA", "IY", "M", "SIL", "W"]
TRUE = np.random.default_rng(1).normal(size=(2 * len(NAMES) + 1, 4))
MIXING = np.random.default_rng(2).normal(size=(2 * len(NAMES) + 1, 24))


def speak(seed, phones=60):
    """A voice whose features are a mixture of the regressors, and the lips that the true table asks for."""
    random = np.random.default_rng(seed)
    lengths = random.uniform(0.06, 0.2, phones)
    ends = np.cumsum(lengths)
    spoken = [(end - length, end, str(random.choice(NAMES))) for end, length in zip(ends, lengths, strict=True)]
    tokens, times = int(ends[-1] * 50), np.arange(int(ends[-1] * 25)) / 25
    log_f0 = 5 + 0.2 * np.sin(np.arange(tokens) / random.uniform(5, 20))
    voiced = np.ones(tokens)
    at = [regressors(spoken, t, pitch_course(log_f0, voiced, t), NAMES) for t in (np.arange(tokens) / 50, times)]
    return Spoken(at[0] @ MIXING, log_f0, voiced, spoken), times, at[1] @ TRUE


@pytest.fixture(scope="module")
def found():
    clips = []
    for seed in range(20, 28):
        voice, times, lips = speak(seed)
        clips.append(SeenLips(voice.features, times, 0.05 * lips + 0.1))
    return fit([speak(seed)[0] for seed in range(8)], clips, NAMES)


def test_lips_of_a_voice_not_seen_are_those_of_the_true_table(found):
    voice, times, lips = speak(99)
    guess = regressors(voice.phones, times, pitch_course(voice.log_f0, voice.voiced, times), NAMES) @ found
    assert all(np.corrcoef(guess[:, i], lips[:, i])[0, 1] > 0.97 for i in range(4))


def test_the_table_is_in_deviations_of_a_speaker(found):
    asked = []
    for seed in range(8):
        voice, times, _ = speak(seed)
        asked.append(regressors(voice.phones, times, pitch_course(voice.log_f0, voice.voiced, times), NAMES) @ found)
    asked = np.concatenate(asked)
    np.testing.assert_allclose(asked.mean(0), 0, atol=0.02)
    np.testing.assert_allclose(asked.std(0), 1, rtol=1e-6)


def test_document_keeps_the_numbers(found):
    written = document(found, NAMES)
    assert written["measures"] == list(MEASURES) and list(written["phones"]) == NAMES
    np.testing.assert_allclose(written["phones"]["M"]["wide"], found[len(NAMES) + 2], atol=6e-4)
    np.testing.assert_allclose(written["pitch"], found[-1], atol=6e-4)
