"""Driving audio that a user may hand in, by stage speech: it is refused in one line, or it works. The encoder is a
stand-in, since nothing of it depends on the file."""

import wave
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from emotag.artifacts import Speech
from emotag.io.video import write_video
from emotag.stages import speech

RATE = 16_000
SOUND = (0.1 * np.random.default_rng(0).normal(size=RATE)).astype(np.float32)
VIDEO = [np.full((32, 32, 3), 8 * k, np.uint8) for k in range(25)]


class Encoder:
    """One token for each begun 20 ms, as the real one."""

    def features(self, samples: np.ndarray, blocks: tuple[int, ...]) -> np.ndarray:
        return np.zeros((-(-len(samples) // 320), 4), np.float32)


@pytest.fixture(autouse=True)
def stand_in(monkeypatch):
    monkeypatch.setattr(speech.speech, "load", lambda model, config: Encoder())
    monkeypatch.setattr(speech.speech, "revision", lambda model, config: "test")
    monkeypatch.setattr(speech, "stamp", lambda model: {})


def sound(path: Path, samples: np.ndarray = SOUND, rate: int = RATE, subtype: str | None = None) -> Path:
    soundfile.write(path, samples, rate, subtype)
    return path


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def header_alone(path: Path) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
    return path


def spoilt(path: Path, value: float) -> Path:
    samples = SOUND.copy()
    samples[100:110] = value
    return sound(path, samples, subtype="FLOAT")


def part(path: Path, share: float) -> Path:
    whole = sound(path).read_bytes()
    return written(path, whole[: int(share * len(whole))])


def shaken(path: Path) -> Path:
    """Bits flipped in the middle of a compressed file."""
    data = bytearray(sound(path, np.tile(SOUND, 3)).read_bytes())
    for position in np.random.default_rng(1).choice(range(len(data) // 3, len(data)), 40, replace=False):
        data[position] ^= 1 << int(position) % 8
    return written(path, bytes(data))


def film(path: Path, audio: np.ndarray | None) -> Path:
    write_video(path, VIDEO, audio=audio)
    return path


def beside(path: Path) -> Path:
    path.symlink_to(sound(path.with_name("real.wav")))
    return path


REFUSED: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "missing file": (lambda f: f / "a.wav", ["no such file"]),
    "zero length": (lambda f: written(f / "a.wav", b""), ["cannot be decoded"]),
    "header without sound": (lambda f: header_alone(f / "a.wav"), ["empty"]),
    "text under a sound's name": (lambda f: written(f / "a.wav", b"la la la " * 99), ["cannot be decoded"]),
    "half of the header": (lambda f: part(f / "a.wav", 0.0008), ["a.wav"]),
    "a fifth of a second": (lambda f: sound(f / "a.wav", SOUND[:3200]), ["0.20 s of sound", "longer"]),
    "not a number": (lambda f: spoilt(f / "a.wav", np.nan), ["not finite", "export"]),
    "infinite": (lambda f: spoilt(f / "a.wav", np.inf), ["not finite", "export"]),
    "bits flipped in ogg": (lambda f: shaken(f / "a.ogg"), ["cannot be decoded", "damaged"]),
    "film without sound": (lambda f: film(f / "a.mp4", None), ["no audio stream"]),
    "directory": (lambda f: (f / "a.wav").mkdir() or f / "a.wav", ["no such file"]),
    "numpy array under a sound's name": (
        lambda f: np.save(f / "a.npy", SOUND) or (f / "a.npy").rename(f / "a.flac"), ["a.flac"],
    ),
}  # fmt: skip

WORKS: dict[str, tuple[Callable[[Path], Path], float]] = {
    "truncated wav": (lambda f: part(f / "a.wav", 0.75), 0.75),
    "silence": (lambda f: sound(f / "a.wav", 0 * SOUND), 1.0),
    "clipped": (lambda f: sound(f / "a.wav", np.sign(SOUND)), 1.0),
    "beyond full scale": (lambda f: sound(f / "a.wav", 50 * SOUND, subtype="FLOAT"), 1.0),
    "8 kHz": (lambda f: sound(f / "a.wav", SOUND[::2], 8000), 1.0),
    "96 kHz stereo": (lambda f: sound(f / "a.wav", np.tile(SOUND[:, None], (6, 2)), 96_000), 1.0),
    "5.1": (lambda f: sound(f / "a.wav", np.tile(SOUND[:, None], (1, 6))), 1.0),
    "24 bit": (lambda f: sound(f / "a.wav", subtype="PCM_24"), 1.0),
    "8 bit": (lambda f: sound(f / "a.wav", subtype="PCM_U8"), 1.0),
    "64 bit float": (lambda f: sound(f / "a.wav", SOUND.astype(np.float64), subtype="DOUBLE"), 1.0),
    "flac": (lambda f: sound(f / "a.flac"), 1.0),
    "mp3": (lambda f: sound(f / "a.mp3"), 1.1),
    "ogg under a wav's name": (lambda f: sound(f / "a.ogg").rename(f / "a.wav"), 1.0),
    "film with sound": (lambda f: film(f / "a.mp4", SOUND), 1.05),
    "symbolic link": (lambda f: beside(f / "link.wav"), 1.0),
    "quotes, spaces and letters beyond ASCII": (lambda f: sound(f / "l'été \"$HOME\" 人.wav"), 1.0),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_sound_that_cannot_be_used_is_refused(case, tmp_path, refused):
    make, words = REFUSED[case]
    refused(speech, words, audio=make(tmp_path), model=tmp_path, out="OUT/speech.safetensors", config="{}")


@pytest.mark.parametrize("case", WORKS)
def test_unusual_sound_works(case, tmp_path, ends):
    make, seconds = WORKS[case]
    outcome = ends(speech, audio=make(tmp_path), model=tmp_path, out="OUT/speech.safetensors", config="{}")
    assert outcome.code == 0 and outcome.files == ("speech.safetensors",), outcome.said
    spoken = Speech.load(tmp_path / "out/speech.safetensors")
    assert abs(len(spoken.features) / 50 - seconds) < 0.12
    for name in ("features", "log_f0", "voiced", "energy"):
        assert np.isfinite(getattr(spoken, name)).all()
