"""The corpus: one talker's columns fit together, cues agree with the motion, and the seed decides everything."""

import numpy as np
import pytest

from emotag.artifacts import Speech
from emotag.synthetic.corpus import talker
from emotag.synthetic.voices import cut_at_pause
from emotag.types import UPPER_FACE_AUS


def loudness_as_speech(audio):
    """Stands for the speech model: the level of each 20 ms, so that timing can be tested."""
    blocks = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    level = np.log(np.sqrt((blocks**2).mean(1)) + 1e-4)
    nothing = np.zeros(len(level), np.float32)
    return Speech(level[:, None].astype(np.float32), nothing, nothing, level, "loudness", "-")


@pytest.fixture(scope="module")
def samples(head, voices):
    voice = cut_at_pause(voices["voice03"], 12.0)
    return [talker(head, voice, index, 0, loudness_as_speech) for index in (4, 4, 5)]


def test_columns_fit(head, samples):
    sample = samples[0]
    frames = len(sample.motion)
    assert sample.motion.shape == (frames, len(head.expression_names) + 3)
    assert sample.action_units.shape == (frames, 6) and sample.emotion.shape == (frames, 7)
    assert sample.identity.shape == (head.shape_size,)
    assert len(sample.features) == len(sample.prosody) == pytest.approx(2 * frames, abs=4)
    assert all(getattr(sample, name).dtype == np.float32 for name in ("motion", "action_units", "features", "prosody"))


def test_cues_are_those_of_the_motion(head, samples):
    sample = samples[0]
    blink = sample.motion[:, [head.unit("eyeBlinkLeft"), head.unit("eyeBlinkRight")]].mean(1)
    np.testing.assert_allclose(sample.action_units[:, UPPER_FACE_AUS.index("AU45")], 5 * blink, atol=1e-5)


def test_the_jaw_opens_with_the_sound(samples):
    sample = samples[0]
    level = sample.features[: 2 * (len(sample.features) // 2), 0].reshape(-1, 2).mean(1)
    jaw = sample.motion[: len(level), -3]
    level = level[: len(jaw)]

    def agreement(lag):
        return np.corrcoef(jaw[20:-20], np.roll(level, lag)[20:-20])[0, 1]

    assert agreement(0) > 0.15
    assert abs(max(range(-12, 13), key=agreement)) <= 4


def test_seed_and_number_decide(samples):
    first, again, other = samples
    for name in ("motion", "features", "identity", "emotion"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
        assert getattr(first, name).shape != getattr(other, name).shape or not np.array_equal(
            getattr(first, name), getattr(other, name)
        )
