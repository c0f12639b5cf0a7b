"""Video that a user may hand in, by the stage that meets it first: it is refused in one line, or it works."""

import json
import os
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import skimage.data

from emotag.io.audio import read_audio
from emotag.io.video import probe, resize, write_video
from emotag.stages import crop

FRAMES, RATE = 30, 16_000
CONFIG = json.dumps({"size_px": 128, "min_seconds": 0.2})
OUTPUTS = {"out_video": "OUT/crop.mp4", "out_audio": "OUT/audio.wav", "out_info": "OUT/crop.json", "config": CONFIG}
RNG = np.random.default_rng(0)
SPEECH = (0.1 * RNG.normal(size=FRAMES * RATE // 25)).astype(np.float32)
PORTRAIT = skimage.data.astronaut()[:400, 30:430]
PHOTOGRAPH = b"\x89PNG\r\n\x1a\n" + bytes(500)


def moving(
    portrait: np.ndarray = PORTRAIT, width: int = 560, height: int = 440, count: int = FRAMES, step: int = 4
) -> Iterator[np.ndarray]:
    """A public-domain photograph wandering over a grey wall."""
    edge = len(portrait)
    for k in range(count):
        canvas = np.full((height, width, 3), 110, np.uint8)
        left = min(10 + step * k, width - edge)
        canvas[20 : 20 + edge, left : left + edge] = portrait
        yield canvas


def encode(
    path: Path,
    frames: Iterator[np.ndarray],
    codec: str = "mpeg4",
    pixels: str = "yuv420p",
    times_s: list[float] | None = None,
    sound: tuple[np.ndarray, int, str] | None = (SPEECH[None], RATE, "mono"),
    rotation: int = 0,
    options: dict | None = None,
) -> Path:
    """Any codec and pixel format, any times; `sound` is samples [channels, n], rate and layout."""
    with av.open(str(path), "w") as container:
        voice = None
        stream = container.add_stream(codec, rate=25, options=options or {})
        if sound is not None:
            voice = container.add_stream("pcm_s16le" if path.suffix in (".mkv", ".mov") else "aac", rate=sound[1])
            voice.layout = sound[2]
        if rotation:
            stream.set_display_rotation(rotation)
        for index, picture in enumerate(frames):
            if index == 0:
                stream.width, stream.height, stream.pix_fmt = picture.shape[1], picture.shape[0], pixels
                if codec != "mpeg2video":
                    stream.time_base = stream.codec_context.time_base = Fraction(1, 10_000)
            frame = av.VideoFrame.from_ndarray(picture, format="rgba" if picture.shape[2] == 4 else "rgb24")
            frame.pts = round((index / 25 if times_s is None else times_s[index]) * 10_000)
            frame.time_base = Fraction(1, 10_000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
        if voice is not None:
            sample = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(sound[0], np.float32), format="fltp", layout=sound[2]
            )
            sample.sample_rate, sample.pts = sound[1], 0
            container.mux(voice.encode(sample))
            container.mux(voice.encode())
    return path


def good(folder: Path, name: str = "clip.mp4") -> Path:
    write_video(folder / name, moving(), audio=SPEECH)
    return folder / name


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def cut_short(folder: Path, name: str, share: float) -> Path:
    whole = good(folder, name).read_bytes()
    return written(folder / name, whole[: int(len(whole) * share)])


def without_index(folder: Path) -> Path:
    """An mp4 whose index stood at the end and was lost, as when a recorder loses power."""
    path = encode(folder / "clip.mp4", moving())
    return written(path, path.read_bytes()[:-4000])


def flipped(folder: Path, first: float, last: float) -> Path:
    """Bits flipped in a share of the file."""
    data = bytearray(good(folder).read_bytes())
    span = range(int(first * len(data)), int(last * len(data)))
    for position in np.random.default_rng(1).choice(span, 60, replace=False):
        data[position] ^= 1 << int(position) % 8
    return written(folder / "clip.mp4", bytes(data))


def linked(folder: Path) -> Path:
    (folder / "link.mp4").symlink_to(good(folder))
    return folder / "link.mp4"


def dangling(folder: Path) -> Path:
    (folder / "link.mp4").symlink_to(folder / "gone.mp4")
    return folder / "link.mp4"


def directory(folder: Path) -> Path:
    (folder / "clip.mp4").mkdir()
    return folder / "clip.mp4"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "clip.mp4")
    return folder / "clip.mp4"


def covered(top: float, bottom: float, level: int) -> Iterator[np.ndarray]:
    """The face with a band of one grey over it: sunglasses, a mask."""
    portrait = PORTRAIT.copy()
    portrait[int(400 * top) : int(400 * bottom), 130:270] = level
    return moving(portrait)


def interrupted(seen: Callable[[int], bool], instead: np.ndarray | None = None) -> Iterator[np.ndarray]:
    """The wall, or another picture, in the frames in which the face is not seen."""
    for k, frame in enumerate(moving()):
        yield frame if seen(k) else (np.full_like(frame, 110 + k) if instead is None else instead)


def two_faces() -> Iterator[np.ndarray]:
    for frame in moving(width=1000):
        frame[20:420, 590:990] = PORTRAIT[:, ::-1]
        yield frame


def scene_change() -> Iterator[np.ndarray]:
    """The second half shows the person on the other side of a wider picture."""
    for k, frame in enumerate(moving(width=1000)):
        yield frame if k < FRAMES // 2 else np.ascontiguousarray(frame[:, ::-1])


def large(width: int, height: int, count: int) -> Iterator[np.ndarray]:
    portrait = resize(PORTRAIT, 2 * height // 3, 2 * height // 3)
    return moving(portrait, width, height, count, 40)


def with_alpha() -> Iterator[np.ndarray]:
    for frame in moving():
        yield np.concatenate([frame, np.full((*frame.shape[:2], 1), 255, np.uint8)], 2)


def tone(channels: int, rate: int, seconds: float = FRAMES / 25, level: float = 0.1) -> np.ndarray:
    return level * np.random.default_rng(2).normal(size=(channels, round(seconds * rate)))


def sounding(folder: Path, samples: np.ndarray, rate: int, layout: str) -> Path:
    return encode(folder / "clip.mkv", moving(), sound=(samples, rate, layout))


def growing(folder: Path) -> Path:
    """A transport stream that goes on in another size, as when two recordings are joined."""
    parts = []
    for width, height in ((560, 440), (700, 440)):
        path = folder / f"{width}.ts"
        encode(path, moving(width=width, height=height, count=20), codec="mpeg2video")
        parts.append(path.read_bytes())
    return written(folder / "clip.ts", b"".join(parts))


def cover_first(folder: Path) -> Path:
    """A still cover picture declared before the clip."""
    path = folder / "clip.mp4"
    with av.open(str(path), "w") as container:
        cover, stream = container.add_stream("mjpeg", rate=1), container.add_stream("mpeg4", rate=25)
        voice = container.add_stream("aac", rate=RATE)
        voice.layout = "mono"
        cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        stream.width, stream.height, stream.pix_fmt = 560, 440, "yuv420p"
        container.mux(cover.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")))
        container.mux(cover.encode())
        for picture in moving():
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
        sample = av.AudioFrame.from_ndarray(SPEECH[None], format="fltp", layout="mono")
        sample.sample_rate = RATE
        container.mux(voice.encode(sample))
        container.mux(voice.encode())
    return path


SLOW = [k / 25 if k < 15 else k / 25 + 3.0 for k in range(FRAMES)]
UNEVEN = list(np.cumsum(np.random.default_rng(3).choice([0.02, 0.04, 0.1], FRAMES)))

# Name: (how the file is made, the words of the refusal).
REFUSED: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "missing file": (lambda f: f / "clip.mp4", ["no such file", "give the path"]),
    "zero length": (lambda f: written(f / "clip.mp4", b""), ["cannot be decoded", "export"]),
    "text under a video's name": (lambda f: written(f / "clip.mp4", b"hello " * 99), ["cannot be decoded"]),
    "photograph under a video's name": (lambda f: written(f / "clip.mp4", PHOTOGRAPH), ["clip.mp4"]),
    "web page saved as video": (lambda f: written(f / "clip.webm", b"<!DOCTYPE html><html>" * 50), ["cannot be"]),
    "truncated mp4": (lambda f: cut_short(f, "clip.mp4", 0.5), ["clip.mp4"]),
    "truncated mkv": (lambda f: cut_short(f, "clip.mkv", 0.5), ["clip.mkv"]),
    "mp4 without its index": (without_index, ["cannot be decoded"]),
    "bits flipped in the header": (lambda f: flipped(f, 0.0, 0.01), ["clip.mp4"]),
    "no extension": (lambda f: good(f).rename(f / "clip"), ["extension", "none"]),
    "unknown extension": (lambda f: written(f / "clip.exe", b"MZ"), ["extension", ".mp4"]),
    "still image": (lambda f: written(f / "clip.png", PHOTOGRAPH), ["still image"]),
    "directory under a video's name": (directory, ["no such file"]),
    "named pipe": (pipe, ["no such file"]),
    "dangling link": (dangling, ["no such file"]),
    "1 frame a second": (
        lambda f: encode(f / "clip.mkv", moving(count=6), times_s=[0, 1, 2, 3, 4, 5]), ["1 frames a second", "25"],
    ),
    "single frame": (lambda f: encode(f / "clip.mkv", moving(count=1)), ["still image"]),
    "too short": (lambda f: encode(f / "clip.mkv", moving(count=4)), ["found 0.16 s", "longer"]),
    "no audio stream": (lambda f: encode(f / "clip.mkv", moving(), sound=None), ["no audio stream"]),
    "silence": (lambda f: sounding(f, 1e-6 * SPEECH[None], RATE, "mono"), ["silent audio track"]),
    "sound much shorter than the picture": (
        lambda f: sounding(f, SPEECH[None, :6000], RATE, "mono"), ["0.38 s of sound for 1.20 s"],
    ),
    "face in a third of the frames": (
        lambda f: encode(f / "clip.mkv", interrupted(lambda k: k < 10)), ["33% of the sampled frames", "in view"],
    ),
    "no face": (lambda f: encode(f / "clip.mkv", interrupted(lambda k: False)), ["no face"]),
    "face upside down": (lambda f: encode(f / "clip.mkv", moving(PORTRAIT[::-1])), ["clip.mkv"]),
    "two faces": (lambda f: encode(f / "clip.mkv", two_faces()), ["2 faces of similar size", "one speaker"]),
    "a cut in the middle": (
        lambda f: encode(f / "clip.mkv", scene_change()), ["jumps", "from 0.6 s on", "one shot"],
    ),
    "tiny picture": (
        lambda f: encode(f / "clip.mkv", (resize(p, 56, 44) for p in moving())), ["clip.mkv"],
    ),
    "same picture throughout": (lambda f: encode(f / "clip.mkv", moving(step=0), "libx264"), ["same picture"]),
    "jumps to another size": (growing, ["clip.ts", "700x440", "560x440"]),
}  # fmt: skip

# Name: (how the file is made, what must hold of the facts in crop.json).
WORKS: dict[str, tuple[Callable[[Path], Path], Callable[[dict], bool]]] = {
    "240 frames a second": (
        lambda f: encode(f / "clip.mkv", moving(count=288, step=1), times_s=[k / 240 for k in range(288)]),
        lambda facts: facts["frames"] == 30 and facts["source"]["fps"] > 239,
    ),
    "variable frame rate": (
        lambda f: encode(f / "clip.mkv", moving(), times_s=UNEVEN), lambda facts: facts["source"]["variable_rate"],
    ),
    "a pause of three seconds": (
        lambda f: encode(f / "clip.mkv", moving(), times_s=[t / 4 for t in SLOW]),
        lambda facts: facts["source"]["variable_rate"],
    ),
    "rotation flag": (
        lambda f: encode(f / "clip.mp4", (np.rot90(p, 3).copy() for p in moving()), rotation=90),
        lambda facts: facts["source"]["rotation"] == 90 and facts["source"]["width"] == 560,
    ),
    "upright format": (
        lambda f: encode(f / "clip.mkv", moving(width=480, height=860)), lambda facts: facts["source"]["height"] == 860,
    ),
    "8K": (
        lambda f: encode(f / "clip.mkv", large(7680, 4320, 6), options={"qscale": "8"}),
        lambda facts: facts["source"]["width"] == 7680,
    ),
    "odd edges": (
        lambda f: encode(f / "clip.mkv", moving(width=561, height=441), "ffv1", "bgr0"),
        lambda facts: facts["source"]["width"] == 561,
    ),
    "grey": (
        lambda f: encode(f / "clip.mkv", moving(), "ffv1", "gray"), lambda facts: facts["source"]["pixel_format"] == "gray",
    ),
    "alpha": (
        lambda f: encode(f / "clip.mov", with_alpha(), "qtrle", "argb"),
        lambda facts: facts["source"]["pixel_format"] == "argb",
    ),
    "10 bit": (
        lambda f: encode(f / "clip.mp4", moving(), "libx264", "yuv420p10le"),
        lambda facts: facts["source"]["pixel_format"] == "yuv420p10le",
    ),
    "interlaced codec in a transport stream": (
        lambda f: encode(f / "clip.ts", moving(), "mpeg2video"), lambda facts: facts["frames"] >= 28,
    ),
    "sound at 8 kHz": (
        lambda f: sounding(f, tone(1, 8000), 8000, "mono"), lambda facts: facts["audio"]["source_rate_hz"] == 8000,
    ),
    "sound at 192 kHz": (
        lambda f: sounding(f, tone(2, 192_000), 192_000, "stereo"), lambda facts: facts["audio"]["duration_s"] > 1.19,
    ),
    "5.1 sound": (
        lambda f: sounding(f, tone(6, 48_000), 48_000, "5.1"), lambda facts: facts["audio"]["source_channels"] == 6,
    ),
    "clipped sound": (
        lambda f: sounding(f, np.sign(tone(1, RATE)), RATE, "mono"),
        lambda facts: any("clipped" in warning for warning in facts["warnings"]),
    ),
    "sound longer than the picture": (
        lambda f: sounding(f, tone(1, RATE, 4.0), RATE, "mono"), lambda facts: facts["frames"] == FRAMES,
    ),
    "sound a little shorter than the picture": (
        lambda f: sounding(f, tone(1, RATE, 0.9), RATE, "mono"),
        lambda facts: any("sound ends" in warning for warning in facts["warnings"]),
    ),
    "face leaving for a moment": (
        lambda f: encode(f / "clip.mkv", interrupted(lambda k: k < 20)),
        lambda facts: any("no face was found" in warning for warning in facts["warnings"]),
    ),
    "mask over mouth and nose": (
        lambda f: encode(f / "clip.mkv", covered(0.28, 0.42, 200)), lambda facts: facts["frames"] == FRAMES,
    ),
    "sunglasses": (lambda f: encode(f / "clip.mkv", covered(0.2, 0.26, 10)), lambda facts: facts["frames"] == FRAMES),
    "frozen for half of the clip": (
        lambda f: encode(f / "clip.mkv", interrupted(lambda k: k < 15, list(moving())[14])),
        lambda facts: any("stands still" in warning for warning in facts["warnings"]),
    ),
    "spaces and letters beyond ASCII": (
        lambda f: good(f).rename(f / "mein Clip é 人.mp4"), lambda facts: facts["frames"] == FRAMES,
    ),
    "shell characters in the name": (
        lambda f: good(f).rename(f / "a'b\"$(touch x);&\n.mp4"), lambda facts: facts["frames"] == FRAMES,
    ),
    "symbolic link": (linked, lambda facts: facts["frames"] == FRAMES),
    "cover picture before the clip": (cover_first, lambda facts: facts["source"]["width"] == 560),
    "bits flipped in a picture": (lambda f: flipped(f, 0.4, 0.45), lambda facts: facts["frames"] == FRAMES),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_video_that_cannot_be_used_is_refused(case, tmp_path, refused):
    make, words = REFUSED[case]
    line = refused(crop, words, video=make(tmp_path), **OUTPUTS)
    assert str(tmp_path) in line


@pytest.mark.parametrize("case", WORKS)
def test_unusual_video_works(case, tmp_path, ends):
    make, holds = WORKS[case]
    outcome = ends(crop, video=make(tmp_path), **OUTPUTS)
    assert outcome.code == 0, outcome.said
    assert outcome.files == ("audio.wav", "crop.json", "crop.mp4")
    facts = json.loads((tmp_path / "out/crop.json").read_text())
    assert holds(facts), facts
    made = probe(tmp_path / "out/crop.mp4")
    assert (made.width, made.height, made.fps, made.frames) == (128, 128, 25, facts["frames"])
    assert len(read_audio(tmp_path / "out/audio.wav")) == facts["frames"] * 640
