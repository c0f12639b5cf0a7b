"""The shipped phone times against the shipped sound: pauses must be where it is quiet, from beginning to end."""

from pathlib import Path

import numpy as np
import pytest

from emotag.synthetic import voices
from emotag.types import SAMPLE_RATE_HZ

VOICES = Path(__file__).parents[2] / "data/voices"
STEP = 80  # samples: 5 ms


def pause_lag_ms(voice: voices.Voice, start_s: float, stop_s: float) -> float:
    """By how much the pauses in the sound come after those in the phones."""
    audio = voice.audio[: len(voice.audio) // STEP * STEP]
    loudness = np.log(1e-8 + (audio.reshape(-1, STEP) ** 2).mean(1))
    times = (np.arange(len(loudness)) + 0.5) * STEP / SAMPLE_RATE_HZ
    speaking = np.ones(len(times))
    for start, end, phone in voice.phones:
        speaking[(times >= start) & (times < end)] = phone != "SIL"
    part = slice(int(start_s * SAMPLE_RATE_HZ / STEP), int(stop_s * SAMPLE_RATE_HZ / STEP))
    lags = range(-30, 31)
    fit = [np.corrcoef(speaking[part], np.roll(loudness, -lag)[part])[0, 1] for lag in lags]
    return lags[int(np.argmax(fit))] * STEP / SAMPLE_RATE_HZ * 1000


@pytest.mark.parametrize("voice", voices.load(VOICES), ids=lambda voice: voice.name)
def test_pauses_are_quiet_at_both_ends(voice):
    length = len(voice.audio) / SAMPLE_RATE_HZ
    half = length / 2
    assert abs(pause_lag_ms(voice, 0.5, half)) <= 15
    assert abs(pause_lag_ms(voice, half, length - 0.5)) <= 15
    assert voice.phones[-1][1] <= length + 0.01
