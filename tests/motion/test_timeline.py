"""Emotions set by the user: strength, order, blending."""

import numpy as np
import pytest
import torch

from emotag.errors import ConfigError
from emotag.moods import MoodConfig, MoodsConfig
from emotag.motion.timeline import strengths
from emotag.project import resolve
from emotag.types import EMOTIONS, NEUTRAL

HAPPY, SAD = EMOTIONS.index("happy"), EMOTIONS.index("sad")


def test_no_mood_is_none():
    assert strengths((), 50) is None


@pytest.mark.parametrize("level", [1, 2, 3])
def test_level_is_thirds_of_the_intensity_and_stays(level):
    course = strengths([MoodConfig(label="happy", level=level)], 50)
    assert torch.allclose(course[:, HAPPY], torch.full((50,), level / 3)) and course.sum() == course[:, HAPPY].sum()


def test_moods_blend_without_a_jump_and_never_exceed_full_strength():
    timeline = [MoodConfig(label="happy", intensity=1.0, from_s=1), MoodConfig(label="sad", intensity=1.0, from_s=2)]
    course = strengths(timeline, 100)
    assert course[0].sum() < 1e-3 and course[37, HAPPY] > 0.98 and course[75, SAD] > 0.999
    assert course.diff(dim=0).abs().max() < 0.12 and course.sum(1).max() <= 1 + 1e-6


def test_neutral_has_no_strength():
    course = strengths([MoodConfig(label="sad", level=3), MoodConfig(label="neutral", from_s=2)], 100)
    assert course[90:].max() < 1e-3 and not course[:, NEUTRAL].any()


@pytest.mark.parametrize(
    ("emotion", "said"),
    [
        ({"label": "hapy", "level": 2}, "adapt.emotion.label: found 'hapy', expected 'angry'"),
        ({"label": "happy"}, "happy needs either level"),
        ({"label": "happy", "level": 1, "intensity": 0.5}, "happy needs either level"),
        ({"label": "happy", "level": 4}, "adapt.emotion.level: found 4"),
        ({"label": "happy", "intensity": 1.5}, "adapt.emotion.intensity: found 1.5"),
        ({"label": "happy", "lvel": 2}, "did you mean level"),
        ([{"label": "happy", "level": 2}, {"label": "sad", "level": 1}], "each must be later"),
        ("happy", "expected {label: happy, level: 2}"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(emotion, said):
    with pytest.raises(ConfigError) as caught:
        resolve({"preset": "laptop", "adapt": {"drive": {"audio": "x.wav"}, "emotion": emotion}})
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_emotion_is_refused_where_there_is_a_truth():
    with pytest.raises(ConfigError, match="drive is self"):
        resolve({"preset": "laptop", "adapt": {"emotion": {"label": "happy", "level": 2}}})


def test_one_mood_is_a_timeline_of_one():
    config = resolve(
        {"preset": "laptop", "adapt": {"drive": {"audio": "x.wav"}, "emotion": {"label": "sad", "level": 3}}}
    )
    assert MoodsConfig(timeline=config.adapt.emotion).timeline[0].strength == 1.0
    assert np.isclose(MoodConfig(label="sad", level=1).strength, 1 / 3)
