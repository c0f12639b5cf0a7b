"""The corpus: one talker's columns fit together, cues agree with the motion, and the seed decides everything."""

import numpy as np
import pytest

from emotag.artifacts import Speech
from emotag.synthetic.corpus import columns, talker
from emotag.synthetic.visemes import MEASURES, lip_track
from emotag.synthetic.voices import cut_at_pause
from emotag.types import FPS, UPPER_FACE_AUS


def loudness_as_speech(audio):
    """Stands for the speech model: the level of each 20 ms, so that timing can be tested."""
    blocks = audio[: len(audio) // 320 * 320].reshape(-1, 320)
    level = np.log(np.sqrt((blocks**2).mean(1)) + 1e-4)
    nothing = np.zeros(len(level), np.float32)
    return Speech(level[:, None].astype(np.float32), nothing, nothing, level, "loudness", "-")


@pytest.fixture(scope="module")
def voice(voices):
    return cut_at_pause(voices["voice03"], 12.0)


@pytest.fixture(scope="module")
def samples(head, voice):
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


def test_jaw_and_sound_keep_the_time_of_the_phones(voice, samples):
    sample = samples[0]
    jaw = sample.motion[:, -3]
    slower = len(jaw) / FPS / voice.phones[-1][1]
    phones = [(start * slower, end * slower, name) for start, end, name in voice.phones]
    wanted = lip_track(phones, np.arange(len(jaw)) / FPS)[:, MEASURES.index("jaw")]

    def agreement(lag):
        return np.corrcoef(jaw[20:-20], np.roll(wanted, lag)[20:-20])[0, 1]

    assert agreement(0) > 0.6 and max(range(-12, 13), key=agreement) == 0
    silent = [name == "SIL" for _, _, name in phones]
    level = [sample.features[round(50 * (a + b) / 2), 0] for a, b, _ in phones[:-1]]
    loud, quiet = (
        np.median([value for value, still in zip(level, silent, strict=False) if still == s]) for s in (0, 1)
    )
    assert loud > quiet + 0.5


def test_seed_and_number_decide(samples):
    first, again, other = samples
    for name in ("motion", "features", "identity", "emotion"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes()
        assert getattr(first, name).shape != getattr(other, name).shape or not np.array_equal(
            getattr(first, name), getattr(other, name)
        )


def test_columns_wait_on_disk_as_they_were_given(samples, tmp_path):
    gathered = columns(zip(("first", "other"), samples[1:], strict=True), tmp_path)
    for column, arrays in gathered.items():
        assert list(arrays) == ["first", "other"]
        for sample, array in zip(samples[1:], arrays.values(), strict=True):
            np.testing.assert_array_equal(array[:], getattr(sample, column))
    assert not any(tmp_path.iterdir())
