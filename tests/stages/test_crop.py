"""The crop stage on real pictures: a photograph made to move, and everything that must be refused."""

import json

import numpy as np
import pytest
import skimage.data

from emotag.config import CropConfig
from emotag.errors import FootageError
from emotag.io.audio import read_audio, write_wav
from emotag.io.sheets import write_png
from emotag.io.video import probe, read_frames, resize, write_video
from emotag.stages import crop

CONFIG = CropConfig(size_px=128, min_seconds=1.0)
FRAMES = 30
RNG = np.random.default_rng(0)
SPEECH = (0.1 * RNG.normal(size=FRAMES * 640)).astype(np.float32)


def moving(portrait, width=640, height=560, step=1, count=FRAMES, second=None):
    """The photograph wandering over a grey wall."""
    for k in range(count):
        canvas = np.full((height, width, 3), 110, np.uint8)
        edge = len(portrait)
        canvas[20 : 20 + edge, 20 + step * k : 20 + step * k + edge] = portrait
        if second is not None:
            canvas[20 : 20 + len(second), -len(second) :] = second
        yield canvas


@pytest.fixture(scope="module")
def portrait():
    """Public-domain photograph; face about 100 px high."""
    return skimage.data.astronaut()[:400, 30:430]


def run(video, folder, config=CONFIG):
    out = folder / "out"
    crop.run(
        video=video, out_video=out / "crop.mp4", out_audio=out / "audio.wav", out_info=out / "crop.json", config=config
    )
    return out


def test_crop_of_a_moving_portrait(tmp_path, portrait):
    video = tmp_path / "mein Clip é.mp4"
    write_video(video, moving(portrait), audio=SPEECH)
    out = run(video, tmp_path)
    info, facts = probe(out / "crop.mp4"), json.loads((out / "crop.json").read_text())
    assert (info.width, info.height, info.frames, info.fps) == (128, 128, FRAMES, 25)
    assert facts["frames"] == len(facts["boxes"]) == len(facts["source_times_s"]) == FRAMES
    assert facts["source_times_s"][3] == pytest.approx(0.12)
    assert facts["faces_per_sampled_frame"] == [1] * 6 and 80 < facts["face_px"] < 130
    assert len(read_audio(out / "audio.wav")) == FRAMES * 640
    left, top, right, bottom = facts["boxes"][0]
    assert right - left == bottom - top and len({tuple(box) for box in facts["boxes"]}) == 1
    source = list(moving(portrait))[10][top:bottom, left:right]
    expected = resize(source, 128, 128).astype(int)
    assert np.abs(list(read_frames(out / "crop.mp4"))[10] - expected).mean() < 3


def test_same_footage_same_bytes(tmp_path, portrait):
    video = tmp_path / "a.mp4"
    write_video(video, moving(portrait), audio=SPEECH)
    first = {p.name: p.read_bytes() for p in run(video, tmp_path).iterdir()}
    assert first == {p.name: p.read_bytes() for p in run(video, tmp_path).iterdir()}


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("no face", ["found no face"]),
        ("two faces", ["2 faces of similar size"]),
        ("small", ["px high"]),
        ("silent", ["silent audio track"]),
        ("no sound", ["no audio stream"]),
        ("short", ["found 1.20 s", "at least 5 s"]),
        ("frozen", ["same picture in every frame"]),
        ("slow", ["12 frames a second"]),
        ("everything", ["4 reasons", "12 frames a second", "no audio stream", "px high", "faces of similar size"]),
    ],
)
def test_refusals(tmp_path, portrait, case, words):
    small, sound, fps, config = resize(portrait, 200, 200), SPEECH, 25, CONFIG
    frames = moving(portrait)
    if case == "no face":
        frames = (np.full((200, 300, 3), 4 * k, np.uint8) for k in range(FRAMES))
    elif case == "two faces":
        frames = moving(portrait, 1000, second=portrait[:, ::-1])
    elif case == "small":
        frames = moving(small)
    elif case == "frozen":
        frames = moving(portrait, step=0)
    elif case == "everything":
        frames = moving(small, 440, 240, second=resize(portrait, 180, 180)[:, ::-1])
    if case in ("slow", "everything"):
        fps = 12
    if case in ("no sound", "everything"):
        sound = None
    if case == "silent":
        sound = 1e-5 * SPEECH
    if case == "short":
        config = CropConfig()
    write_video(tmp_path / "a.mp4", frames, fps=fps, audio=sound, crf=32 if case == "frozen" else 16)
    with pytest.raises(FootageError) as caught:
        run(tmp_path / "a.mp4", tmp_path, config)
    message = str(caught.value)
    assert message.startswith(str(tmp_path / "a.mp4")) and "\n" not in message
    assert all(word in message for word in words), message
    assert not (tmp_path / "out").exists()


def test_files_that_are_no_videos(tmp_path, portrait):
    write_png(tmp_path / "a.png", portrait)
    (tmp_path / "photo.mp4").write_bytes((tmp_path / "a.png").read_bytes())
    (tmp_path / "broken.mp4").write_bytes(b"\x00\x00\x00\x20ftypisom" + bytes(200))
    (tmp_path / "notes.txt").write_text("hello")
    write_wav(tmp_path / "sound.wav", SPEECH)
    (tmp_path / "sound.mp4").write_bytes((tmp_path / "sound.wav").read_bytes())
    cases = {
        "a.png": "still image", "photo.mp4": "still image", "broken.mp4": "cannot be decoded|no video stream",
        "notes.txt": "extension", "sound.mp4": "no video stream", "missing.mp4": "no such file",
    }  # fmt: skip
    for name, words in cases.items():
        with pytest.raises(FootageError, match=words):
            run(tmp_path / name, tmp_path)
    assert not (tmp_path / "out").exists()


def test_damage_in_the_middle_is_refused(tmp_path, portrait):
    video = tmp_path / "a.mkv"
    write_video(video, moving(portrait), audio=SPEECH)
    whole = video.read_bytes()
    video.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(FootageError, match="a.mkv"):
        run(video, tmp_path)
