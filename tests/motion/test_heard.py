"""Emotion that is heard: measures against closed forms, strengths against Bayes' rule, and a voice that was not fitted to."""

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from emotag.audio.prosody import prosody
from emotag.errors import FootageError
from emotag.motion import heard
from emotag.motion.heard import ACTED, CALM_SHARE, LEVELS, MEASURES, STRAY, STRAY_SHARE, Calm, Listener
from emotag.synthetic import takes
from emotag.types import EMOTIONS, NEUTRAL

SHIPPED = heard.shipped()
NOWHERE = np.zeros((1, len(MEASURES)))


def tokens(pitch_st, level_db, voiced=1.0):
    """[K, 3] prosody of a pitch in semitones and a level in dB."""
    pitch, level = np.broadcast_arrays(np.asarray(pitch_st, float), level_db)
    return np.stack([pitch * np.log(2) / 12, np.full(len(pitch), voiced), level], 1)


def voice(seed=0, seconds=12):
    random = np.random.default_rng(seed)
    spoken = tokens(80 + 3 * random.normal(size=50 * seconds), -25 + 4 * random.normal(size=50 * seconds))
    spoken[:, 1] = random.random(len(spoken)) > 0.3
    return spoken


def test_a_steady_tone_has_its_pitch_and_level_and_no_change():
    values, voice_s = heard.measures(tokens(np.full(400, 84.0), -20.0))
    np.testing.assert_allclose(values[:, :3], np.tile([84.0, np.log(0.5), -20.0], (200, 1)))
    np.testing.assert_allclose(values[:, 3:], np.tile(np.log([0.1, 0.3]), (200, 1)))
    # The integral of a Hann window is half its length.
    assert voice_s[100] == pytest.approx(heard.HALF_S, rel=0.01)


def test_a_higher_and_louder_voice_differs_in_pitch_and_level_alone():
    spoken = voice()
    other = spoken + [4 * np.log(2) / 12, 0, 6.0]
    moved = heard.measures(other)[0] - heard.measures(spoken)[0]
    np.testing.assert_allclose(moved, np.tile([4, 0, 6, 0, 0], (len(moved), 1)), atol=1e-9)


def test_octave_errors_and_noise_taken_for_voice_leave_pitch_and_level():
    spoken = tokens(80 + 0.5 * np.sin(np.arange(1000) / 9), -20.0)
    wrong = spoken.copy()
    wrong[::17, 0] += np.log(2)
    wrong[500:600] = tokens(np.full(100, 55.0), -90.0)
    moved = np.abs(heard.measures(wrong)[0] - heard.measures(spoken)[0])
    assert moved[:, 0].max() < 0.3 and moved[:, 2].max() < 1e-9


def test_a_window_is_all_that_a_moment_hears(monkeypatch):
    spoken, reach = voice(), round(heard.HALF_S * 50)
    values, voice_s = heard.measures(spoken)
    # One token more on the left, where the first step comes from.
    cut = 300 - reach - 1
    part = heard.measures(spoken[cut : 300 + reach + 1])
    np.testing.assert_allclose(part[0][(300 - cut) // 2], values[150], rtol=1e-12)
    assert part[1][(300 - cut) // 2] == voice_s[150]
    monkeypatch.setattr(heard, "CHUNK_FRAMES", 7)
    parts = heard.measures(spoken)
    assert np.array_equal(parts[0], values) and np.array_equal(parts[1], voice_s)


def test_weighted_quantiles_are_those_of_repeated_values():
    random = np.random.default_rng(2)
    values, counts = random.normal(size=(4, 31)), random.integers(1, 6, (4, 31))
    found = heard._quantiles(values, counts.astype(float), (0.5,))[0]
    for row, (given, count) in enumerate(zip(values, counts, strict=True)):
        ranked = np.sort(given)
        nearest = np.abs(ranked - np.quantile(np.repeat(given, count), 0.5)).argmin()
        assert abs(int(np.flatnonzero(ranked == found[row])[0]) - nearest) <= 1


def test_least_squares_find_the_directions_that_made_the_readings():
    random = np.random.default_rng(3)
    directions, spread = random.normal(size=(6, 5)), np.diag([0.3, 0.1, 0.5, 0.2, 0.1])
    intensities = [level * np.eye(6)[kind] for kind in range(6) for level in (0.0, 1 / 3, 2 / 3, 1.0)]
    shifts = [acted @ directions + random.normal(size=(4000, 5)) @ spread for acted in intensities]
    found = heard.fit(shifts, intensities, [np.ones(4000)] * len(shifts))
    np.testing.assert_allclose(found.directions, directions, atol=0.02)
    np.testing.assert_allclose(found.covariance, spread**2, atol=0.005)


def test_strengths_are_what_bayes_rule_expects():
    random = np.random.default_rng(4)
    shifts, variance = 2 * random.normal(size=(20, 5)), random.uniform(0.1, 1, 5)
    spread = SHIPPED.covariance + np.diag(variance)
    calm = CALM_SHARE * (1 - STRAY_SHARE) * multivariate_normal(np.zeros(5), spread).pdf(shifts)
    calm += CALM_SHARE * STRAY_SHARE * multivariate_normal(np.zeros(5), STRAY**2 * spread).pdf(shifts)
    share = (1 - CALM_SHARE) / (len(LEVELS) * len(ACTED))
    acted = share * np.array(
        [[multivariate_normal(level * d, spread).pdf(shifts) for level in LEVELS] for d in SHIPPED.directions]
    )
    expected = (acted * np.minimum(LEVELS, 1)[:, None]).sum(1) / (acted.sum((0, 1)) + calm)
    np.testing.assert_allclose(SHIPPED.expected(shifts, variance), expected.T, rtol=1e-9)


@pytest.mark.parametrize("kind", range(len(ACTED)))
def test_a_clear_emotion_grows_with_its_level_to_one_and_no_further(kind):
    sharp = Listener(SHIPPED.directions, 0.01 * SHIPPED.covariance)
    found = sharp.expected(np.array([0, 1, 2, 3, 5])[:, None] / 3 * SHIPPED.directions[kind], np.zeros(5))
    np.testing.assert_allclose(found[:, kind], [0, 1 / 3, 2 / 3, 1, 1], atol=0.04)
    assert found.sum(1).max() <= 1 + 1e-9


def test_far_from_every_direction_speech_is_calm():
    away = np.array([[-12.0, 2.0, 12.0, 1.0, 1.0]])
    assert SHIPPED.expected(NOWHERE, np.zeros(5)).sum() < 0.05 and SHIPPED.expected(away, np.zeros(5)).sum() < 0.05


def test_a_restless_calm_voice_makes_less_of_a_difference():
    shift = SHIPPED.directions[[ACTED.index("sad")]]
    quiet, restless = (SHIPPED.expected(shift, np.full(5, spread)).sum() for spread in (0.0, 9.0))
    assert quiet > 0.9 and restless < 0.5 * quiet


def test_without_voice_nothing_is_heard_and_a_calm_recording_needs_some():
    silent = tokens(np.zeros(200), -60.0, voiced=0.0)
    assert not heard.course(silent, voice(), 100).any()
    assert not heard.course(np.zeros((200, 3)), np.zeros((200, 3)), 100).any()
    with pytest.raises(FootageError, match=r"found 0.0 s of voice, expected at least 1 s"):
        heard.course(voice(), silent, 100)


def test_a_course_is_slow_and_has_the_frames_that_are_asked_for():
    spoken = voice()
    spoken[300:, 0] += 5 * np.log(2) / 12
    found = heard.course(spoken, voice(1), 310)
    assert found.shape == (310, len(EMOTIONS)) and not found[:, NEUTRAL].any()
    assert found.diff(dim=0).abs().max() < 0.06 and float(found.sum(1).max()) <= 1 + 1e-6


def test_the_table_is_of_the_form_it_is_written_in():
    again = Listener.of_document(SHIPPED.document())
    assert np.array_equal(again.directions, SHIPPED.directions) and np.array_equal(again.covariance, SHIPPED.covariance)


def test_a_voice_that_was_left_out_is_heard():
    read = {(take.emotion, take.level): take.voice.audio for take in takes.load(Path("data/moods/mood01.json"))}

    def of(emotion, level):
        audio = read[emotion, level]
        found = prosody(audio, len(audio) // 320)
        return np.stack([found.log_f0, found.voiced, found.energy], 1)

    calm = Calm.of(of("neutral", 0))
    strong, weak = (SHIPPED.strengths(of("sad", level), calm).mean(0) for level in (3, 1))
    sad = EMOTIONS.index("sad")
    assert strong.argmax() == weak.argmax() == sad and strong[sad] > 0.8 and 0.05 < weak[sad] < 0.5
