"""Visemes: single phones reach their targets, weights are normalised, closures survive their neighbours."""

import numpy as np
import pytest

from emotag.synthetic import visemes
from emotag.synthetic.visemes import LEAD_S, TARGETS, dominance, lip_track, pitch_course, regressors


@pytest.mark.parametrize("symbol", ["AA", "M", "SIL"])
def test_one_phone_is_its_target(symbol):
    np.testing.assert_allclose(lip_track([(0, 0.2, symbol)], np.linspace(-1, 2, 7)), [TARGETS[symbol]] * 7)


def test_weights_sum_to_one():
    phones = [(0.1 * i, 0.1 * i + 0.1, symbol) for i, symbol in enumerate(["AA", "P", "IY", "SIL"])]
    np.testing.assert_allclose(dominance(phones, np.linspace(-5, 9, 40)).sum(1), 1)


def test_lips_close_between_vowels():
    phones = [(0, 0.15, "AA"), (0.15, 0.23, "M"), (0.23, 0.4, "AA")]
    aperture = lip_track(phones, np.array([0.075, 0.19, 0.32]) - LEAD_S)[:, 0]
    assert aperture[1] < -0.6 < 0.5 < min(aperture[0], aperture[2])


def test_lead_shifts_time():
    phones = [(0, 0.2, "AA"), (0.2, 0.4, "UW")]
    times = np.linspace(0, 0.4, 9)
    np.testing.assert_allclose(lip_track(phones, times, lead_s=0.1), lip_track(phones, times + 0.1, lead_s=0))


def test_lips_are_linear_in_the_regressors():
    names = sorted(TARGETS)
    phones = [(0, 0.12, "SIL"), (0.12, 0.2, "W"), (0.2, 0.36, "IY"), (0.36, 0.4, "T")]
    times, pitch = np.linspace(-0.1, 0.5, 13), np.linspace(-1, 1, 13)
    table = np.stack([*(visemes.NEAR[n] for n in names), *(visemes.WIDE[n] for n in names), visemes.PITCH])
    np.testing.assert_allclose(regressors(phones, times, pitch, names) @ table, lip_track(phones, times, pitch=pitch))


def test_rounding_begins_before_the_rounded_sound():
    before = np.array([0.2]) - LEAD_S
    vowel = [(0, 0.3, "AA"), (0.3, 0.4, "IY"), (0.4, 0.5, "SIL")]
    rounded = [vowel[0], (0.3, 0.4, "W"), vowel[2]]
    assert lip_track(rounded, before)[0, 1] < lip_track(vowel, before)[0, 1] - 0.1


def test_pitch_is_relative_to_the_voice_and_opens_the_mouth():
    log_f0 = np.where(np.arange(200) < 100, 4.8, 5.2)
    voiced = (np.arange(200) % 50 > 4).astype(float)
    times = np.arange(100) / 25
    course = pitch_course(log_f0 * voiced, voiced, times)
    np.testing.assert_allclose(pitch_course((log_f0 + 0.7) * voiced, voiced, times), course, atol=1e-9)
    assert course[:40].max() < course[60:].min() and not pitch_course(log_f0, 0 * voiced, times).any()
    phones = [(0, 4, "AH")]
    assert (lip_track(phones, times, pitch=course)[60:, 0] > lip_track(phones, times)[60:, 0]).all()
