"""Lips of one person against those of the person who is heard, in time."""

import math

import numpy as np
import pytest

from emotag.stages.measure_speech import SPEAKER, heard_lips, speaker_scores


def lips(count=200):
    walk = np.random.default_rng(0).normal(size=(count, 4)).cumsum(0)
    return walk - np.linspace(0, 1, count)[:, None] * walk[-1]


@pytest.mark.parametrize("offset", [0.0, 3.0, -2.0])
def test_late_clips_are_read_later(offset):
    """What is heard at frame k is seen at k + offset; an avatar that is in sync with the sound has no lag then."""
    seen = lips()
    heard = heard_lips(seen, offset, 150)
    inside = np.isfinite(heard[:, 0])
    frames = np.arange(150)[inside]
    np.testing.assert_allclose(heard[inside], seen[frames + int(offset)])
    assert speaker_scores(heard, 2 * heard + 1)["speaker_lag"] == 0
    assert speaker_scores(heard, 2 * heard + 1)["speaker_aperture_corr"] == pytest.approx(1)
    late = np.roll(heard, 3, 0)
    assert speaker_scores(heard, late)["speaker_lag"] == 3


def test_sound_longer_than_the_clip_counts_where_both_are():
    heard = heard_lips(lips(80), 0.5, 120)
    assert np.isnan(heard[80:]).all() and np.isfinite(heard[:79]).all()
    assert speaker_scores(heard, np.where(np.isfinite(heard), heard, 5))["speaker_width_corr"] == pytest.approx(1)


def test_without_a_speaker_nothing_is_said():
    scores = speaker_scores(None, lips())
    assert set(scores) == set(SPEAKER) and all(math.isnan(value) for value in scores.values())
