"""Reasons to refuse footage."""

import numpy as np
import pytest

from emotag.config import CropConfig
from emotag.errors import FootageError
from emotag.io.video import VideoInfo
from emotag.tracking import footage
from emotag.tracking.faces import Face, FaceTrack

CONFIG = CropConfig()


def info(**changes):
    values = {
        "width": 640, "height": 480, "rotation": 0, "fps": 25.0, "variable_rate": False, "frames": 250,
        "duration_s": 10.0, "codec": "h264", "pixel_format": "yuv420p", "still_image": False, "hdr": False,
        "audio_streams": 1, "audio_rate_hz": 44100, "audio_channels": 2,
    }  # fmt: skip
    return VideoInfo(**(values | changes))


def track(height, count=10, x=0.0):
    return FaceTrack(list(range(count)), [Face(np.array([x, 0, x + height, height]), 0.9)] * count)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"duration_s": 4.99}, []),
        ({"duration_s": 4.5}, ["4.50 s"]),
        ({"fps": 12.0}, ["12 frames a second"]),
        ({"audio_streams": 0}, ["no audio"]),
        ({"still_image": True, "fps": 0.0, "duration_s": 0.0}, ["still image"]),
        ({"fps": 12.0, "duration_s": 3.0, "audio_streams": 0}, ["3.00 s", "12 frames", "no audio"]),
    ],
)
def test_header(changes, words):
    reasons = footage.check_file(info(**changes), CONFIG)
    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


def test_levels_in_closed_form():
    time = np.arange(16000) / 16000
    facts = footage.sound_facts((0.1 * np.sin(2 * np.pi * 100 * time)).astype(np.float32))
    assert facts["rms_dbfs"] == pytest.approx(20 * np.log10(0.1 / np.sqrt(2)), abs=0.01)
    assert facts["peak_dbfs"] == pytest.approx(-20, abs=0.01) and facts["duration_s"] == 1
    assert footage.sound_facts(np.ones(100, np.float32))["clipped_share"] == 1


def test_silence_and_short_sound():
    silent = footage.sound_facts(np.full(160000, 1e-4, np.float32))
    assert "silent" in footage.check_sound(silent, 10.0)[0]
    assert footage.check_sound(footage.sound_facts(np.full(160000, 0.05, np.float32)), 10.0) == []
    assert "3.00 s of sound" in footage.check_sound(footage.sound_facts(np.full(48000, 0.05, np.float32)), 10.0)[0]


@pytest.mark.parametrize(
    ("tracks", "words"),
    [
        ([], ["no face"]),
        ([track(200)], []),
        ([track(200, 4)], ["40%"]),
        ([track(60)], ["60 px"]),
        ([track(200), track(150, x=400)], ["2 faces"]),
        ([track(200), track(90, x=400)], []),
        ([track(50), track(44, x=90)], ["50 px", "2 faces"]),
    ],
)
def test_faces(tracks, words):
    reasons = footage.check_faces(tracks, 10, 25, CONFIG)
    assert len(reasons) == len(words)
    assert all(word in reason for word, reason in zip(words, reasons, strict=True))


def test_all_reasons_in_one_line():
    footage.refuse("a.mp4", [])
    with pytest.raises(FootageError, match="^a.mp4: one$"):
        footage.refuse("a.mp4", ["one"])
    with pytest.raises(FootageError, match=r"2 reasons: \(1\) one; \(2\) two"):
        footage.refuse("a.mp4", ["one", "two"])


@pytest.mark.parametrize(("name", "word"), [("a.txt", "extension"), ("a", "'none'"), ("a.JPG", "still image")])
def test_extensions(name, word):
    footage.check_extension("a b.MOV")
    with pytest.raises(FootageError, match=word):
        footage.check_extension(name)


def test_frozen():
    rng = np.random.default_rng(0)
    frame = rng.integers(20, 230, (16, 16, 3), dtype=np.uint8)
    noise = rng.normal(0, 2, (5, 16, 16, 3)).round()
    assert footage.is_frozen([frame, *np.clip(frame + noise, 0, 255).astype(np.uint8)])
    assert not footage.is_frozen([frame, frame, np.roll(frame, 1, 0)])
    assert not footage.is_frozen([frame]) and not footage.is_frozen([])
