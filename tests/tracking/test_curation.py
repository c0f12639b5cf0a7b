"""Curation: every filter rejects what it is for, with a reason, and says what it could not judge."""

import numpy as np
import pytest

from emotag.config import CurationConfig
from emotag.tracking.curation import judge, scene_cuts, speech_over_floor_db
from emotag.types import SAMPLE_RATE_HZ

CONFIG = CurationConfig()
FACTS = {"duration_s": 12.0, "source": {"width": 1280, "height": 720}}
SYNC = {"told": True, "peak": 0.6, "offset_frames": -1.0}


def speech(low=0.01, high=0.2, seconds=4):
    level = np.where(np.arange(seconds * 50) % 4 < 2, low, high).repeat(SAMPLE_RATE_HZ // 50)
    return level * np.sqrt(2) * np.sin(2 * np.pi * 200 * np.arange(len(level)) / SAMPLE_RATE_HZ)


def test_level_over_floor_is_a_ratio_of_amplitudes():
    assert speech_over_floor_db(speech(0.01, 0.1)) == pytest.approx(10.0, abs=0.05)


def test_a_good_clip_is_kept_and_language_is_said_to_be_unjudged():
    judged = judge(FACTS, speech(), SYNC, [], None, CONFIG)
    assert judged.reasons == [] and "language" in judged.not_judged[0]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"facts": FACTS | {"duration_s": 9.0}}, "seconds"),
        ({"facts": FACTS | {"source": {"width": 480, "height": 640}}}, "short_side_px"),
        ({"samples": speech(0.1, 0.2)}, "speech_over_floor_db"),
        ({"samples": np.zeros(0)}, "speech_over_floor_db"),
        ({"cuts": [30]}, "cuts"),
        ({"sync": SYNC | {"peak": 0.1}}, "lip_correlation"),
        ({"sync": SYNC | {"peak": float("nan")}}, "lip_correlation"),
        ({"sync": SYNC | {"offset_frames": -7.0}}, "offset_frames"),
        ({"sync": SYNC | {"told": False}}, "sync"),
        ({"spoken": {"de": 0.9, "en": 0.1}, "config": CurationConfig(languages=("en",))}, "most likely de"),
    ],
)
def test_each_filter_gives_its_reason(changed, reason):
    call = {"facts": FACTS, "samples": speech(), "sync": SYNC, "cuts": [], "spoken": None, "config": CONFIG} | changed
    judged = judge(**call)
    assert len(judged.reasons) == 1 and reason in judged.reasons[0]


def test_languages_add_up_and_missing_weights_are_told():
    config = CurationConfig(languages=("en", "de"))
    assert judge(FACTS, speech(), SYNC, [], {"de": 0.5, "en": 0.4, "nl": 0.1}, config).reasons == []
    judged = judge(FACTS, speech(), SYNC, [], None, config)
    assert "no multilingual Whisper" in judged.not_judged[0]


def test_a_cut_is_found_and_motion_is_none():
    random = np.random.default_rng(0)
    one, other = (random.integers(0, 255, (90, 90, 3)).astype(np.uint8) // 4 + base for base in (10, 180))
    frames = [np.roll(one.astype(np.uint8), shift, 1) for shift in range(5)] + [other.astype(np.uint8)] * 3
    assert scene_cuts(frames, CONFIG.cut_threshold) == [5]
