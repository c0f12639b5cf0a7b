"""The shipped voices: phones follow each other to the end of the sound, silences are quiet, and cutting keeps both."""

import numpy as np
import pytest

from emotag.errors import AssetMissing
from emotag.synthetic.augmentation import at_speed, augmented, equalised, with_noise
from emotag.synthetic.visemes import TARGETS
from emotag.synthetic.voices import DEMO, cut_at_pause, load
from emotag.types import SAMPLE_RATE_HZ


def test_phones_cover_the_sound(voices):
    assert DEMO in voices and len(voices) > 12
    for voice in voices.values():
        starts, ends, names = zip(*voice.phones, strict=True)
        np.testing.assert_allclose(starts[1:], ends[:-1], atol=5e-3)
        assert ends[-1] == pytest.approx(len(voice.audio) / SAMPLE_RATE_HZ, abs=0.1)
        assert set(names) <= set(TARGETS)


def test_silence_is_quiet_and_vowels_are_loud(voices):
    voice = voices[DEMO]

    def level(symbol):
        parts = [
            voice.audio[int(a * SAMPLE_RATE_HZ) : int(b * SAMPLE_RATE_HZ)] for a, b, s in voice.phones if s == symbol
        ]
        return np.sqrt(np.mean(np.concatenate(parts) ** 2))

    assert level("SIL") < 0.2 * level("AA")


def test_cut_ends_in_a_pause(voices):
    whole = voices[DEMO]
    cut = cut_at_pause(whole, 13.0)
    assert 10 < cut.phones[-1][1] <= 13 and cut.phones[-1][2] == "SIL"
    assert len(cut.audio) == round(cut.phones[-1][1] * SAMPLE_RATE_HZ)
    assert cut_at_pause(whole, 1e3) is whole


def test_no_voice_is_an_error(tmp_path):
    with pytest.raises(AssetMissing, match="no voice"):
        load(tmp_path)


def test_slower_voice_stretches_sound_and_phones(voices):
    voice = voices[DEMO]
    slow = at_speed(voice, 80)
    assert len(slow.audio) == pytest.approx(1.25 * len(voice.audio), rel=1e-4)
    np.testing.assert_allclose([p[1] for p in slow.phones], [1.25 * p[1] for p in voice.phones])


def test_equaliser_is_a_gain_where_it_is_flat():
    tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / SAMPLE_RATE_HZ)
    np.testing.assert_allclose(equalised(tone, np.full(8, 6.0)), tone * 10 ** (6 / 20), atol=1e-9)


def test_noise_has_the_wanted_level():
    tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / SAMPLE_RATE_HZ)
    noise = with_noise(tone, 20.0, np.random.default_rng(0)) - tone
    assert 10 * np.log10(np.mean(tone**2) / np.mean(noise**2)) == pytest.approx(20)


def test_augmentation_keeps_time(voices):
    audio = voices[DEMO].audio[: 4 * SAMPLE_RATE_HZ]
    heard = augmented(audio, np.random.default_rng(1))
    assert len(heard) == len(audio) and np.abs(heard).max() <= 0.98

    def envelope(x):
        return np.log(np.sqrt((x.reshape(-1, 320) ** 2).mean(1)) + 1e-3)

    lags = range(-5, 6)
    a, b = envelope(audio), envelope(heard)
    best = max(lags, key=lambda lag: np.corrcoef(a[10:-10], np.roll(b, -lag)[10:-10])[0, 1])
    assert best in (0, 1)
    np.testing.assert_array_equal(heard, augmented(audio, np.random.default_rng(1)))
