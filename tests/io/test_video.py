"""Video files: what goes in comes out, at the right time, from any format; broken files are refused."""

import struct
from fractions import Fraction

import av
import numpy as np
import pytest

from emotag.errors import FootageError
from emotag.io import video
from emotag.io.tensors import Spool

FLAT = [
    (255, 0, 0),
    (0, 255, 0),
    (0, 0, 255),
    (128, 128, 128),
    (200, 120, 90),
    (12, 30, 60),
    (255, 255, 255),
    (0, 0, 0),
]


def flat(colour, width=64, height=48):
    return np.full((height, width, 3), colour, np.uint8)


def encode(path, frames, codec="ffv1", pixel_format="yuv420p", source="rgb24", times_ms=None, **options):
    """Any stream of pictures with times in ms, through PyAV itself."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options={k: str(v) for k, v in options.items()})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], pixel_format
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, frame in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(frame, format=source).reformat(format=pixel_format)
            picture.pts, picture.time_base = (times_ms or range(0, 40 * len(frames), 40))[index], Fraction(1, 1000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def ramp(count, width=64, height=48):
    """Frames that can be told apart: grey level 4 k."""
    return [flat((4 * k,) * 3, width, height) for k in range(count)]


def levels(frames):
    return [round(float(frame.mean()) / 4) for frame in frames]


def test_colours_come_back(tmp_path):
    video.write_video(tmp_path / "a.mp4", [flat(c) for c in FLAT], crf=4)
    for colour, frame in zip(FLAT, video.read_frames(tmp_path / "a.mp4"), strict=True):
        assert np.abs(frame.astype(int) - colour).max() <= 2


@pytest.mark.parametrize(("colorspace", "size"), [(1, 64), (5, 64), (2, 64), (2, 640)])
def test_tagged_and_untagged_matrices(tmp_path, colorspace, size):
    """A file without a tag is BT.601 when small and BT.709 when large; a tagged one is what it says."""
    colour = (200, 40, 60)
    matrix = {1: "ITU709", 5: "ITU601"}[{(2, 64): 5, (2, 640): 1}.get((colorspace, size), colorspace)]
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, size, "yuv444p"
        stream.codec_context.colorspace = colorspace
        frame = av.VideoFrame.from_ndarray(flat(colour, 64, size), format="rgb24")
        frame = frame.reformat(format="yuv444p", dst_colorspace=matrix, dst_color_range="MPEG")
        frame.colorspace = colorspace
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    found = next(video.read_frames(tmp_path / "a.mkv"))
    assert np.abs(found.astype(int) - colour).max() <= 3


def test_same_frames_give_the_same_bytes(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), dtype=np.uint8) for _ in range(5)]
    sound = rng.normal(0, 0.1, 3200)
    for name in ("a.mp4", "b.mp4"):
        video.write_video(tmp_path / name, frames, audio=sound)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
    for name in ("a.mkv", "b.mkv"):
        video.write_gray(tmp_path / name, [frame[..., 0] for frame in frames])
    assert (tmp_path / "a.mkv").read_bytes() == (tmp_path / "b.mkv").read_bytes()


def test_sound_and_picture_start_together(tmp_path):
    from emotag.io.audio import read_audio

    frames = [flat((255,) * 3 if k == 10 else (0,) * 3) for k in range(25)]
    sound = np.zeros(16000, np.float32)
    sound[6400:6416] = 0.9
    video.write_video(tmp_path / "a.mp4", frames, audio=sound)
    assert int(np.argmax([f.mean() for f in video.read_frames(tmp_path / "a.mp4")])) == 10
    assert abs(int(np.abs(read_audio(tmp_path / "a.mp4")).argmax()) - 6408) <= 16
    assert len(read_audio(tmp_path / "a.mp4")) == pytest.approx(16000, abs=1024)


def test_grey_is_lossless(tmp_path):
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 256, (33, 47), dtype=np.uint8) for _ in range(4)]
    assert video.write_gray(tmp_path / "g.mkv", frames) == 4
    for a, b in zip(frames[1:3], video.read_gray(tmp_path / "g.mkv", 1, 3), strict=True):
        np.testing.assert_array_equal(a, b)


def test_only_some_frames(tmp_path):
    video.write_video(tmp_path / "a.mp4", ramp(20))
    video.write_gray(tmp_path / "a.mkv", [frame[..., 0] for frame in ramp(20)])
    for read, name in ((video.read_frames, "a.mp4"), (video.read_gray, "a.mkv")):
        assert levels(read(tmp_path / name, only=np.array([3, 7, 19]))) == [3, 7, 19]
        assert levels(read(tmp_path / name, only=range(0, 20, 6))) == [0, 6, 12, 18]
        assert levels(read(tmp_path / name, 4, 13, only={2, 6, 12, 13})) == [6, 12]
        assert levels(read(tmp_path / name, only=[])) == []


def test_all_intra_and_range(tmp_path):
    video.write_video(tmp_path / "a.mp4", ramp(12), all_intra=True, crf=4)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert all(frame.key_frame for frame in container.decode(video=0))
    assert levels(video.read_frames(tmp_path / "a.mp4", 3, 6)) == [3, 4, 5]
    assert [f.shape for f in video.read_frames(tmp_path / "a.mp4", 0, 1, size=20)] == [(20, 20, 3)]


@pytest.mark.parametrize(
    ("pixel_format", "source", "tolerance"),
    [
        ("yuv420p10le", "rgb24", 3),
        ("gray", "gray", 0),
        ("gray10le", "gray", 1),
        ("bgra", "rgba", 0),
        ("yuv444p", "rgb24", 3),
    ],
)
def test_pixel_formats(tmp_path, pixel_format, source, tolerance):
    """Odd sizes, deep samples, grey and alpha (over black) all become RGB8."""
    picture = np.repeat(np.linspace(20, 230, 47, dtype=np.uint8)[None], 33, 0)
    stored = {"gray": picture, "rgb24": np.stack([picture] * 3, -1)}.get(source)
    if stored is None:
        stored = np.dstack([picture] * 3 + [np.full_like(picture, 255)])
        stored[:16, :, 3] = 0
    encode(tmp_path / "a.mkv", [np.ascontiguousarray(stored)], pixel_format=pixel_format, source=source)
    found = next(video.read_frames(tmp_path / "a.mkv"))
    expected = picture.copy()
    if source == "rgba":
        expected[:16] = 0
    assert found.dtype == np.uint8 and found.shape == (33, 47, 3)
    assert np.abs(found.astype(int) - expected[..., None]).max() <= tolerance


def rotate_flag(path, degrees):
    """Write a display matrix into the track header of an mp4 (ISO 14496-12, 8.3.2)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16
    one = 0x10000
    matrix = {90: (0, one, 0, -one, 0, 0), 180: (-one, 0, 0, 0, -one, 0), 270: (0, -one, 0, one, 0, 0)}[degrees]
    data[at : at + 36] = struct.pack(">9i", *matrix, 0, 0, 0x40000000)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotation_flag(tmp_path, degrees):
    """A player turns the stored picture clockwise by the flag; so do we."""
    picture = flat((20, 20, 20))
    picture[:24, :32] = (220, 40, 40)
    video.write_video(tmp_path / "a.mp4", [picture] * 2, crf=4)
    rotate_flag(tmp_path / "a.mp4", degrees)
    found = next(video.read_frames(tmp_path / "a.mp4"))
    expected = np.rot90(picture, -degrees // 90)
    info = video.probe(tmp_path / "a.mp4")
    assert (info.height, info.width) == found.shape[:2] == expected.shape[:2]
    assert np.abs(found.astype(int) - expected).mean() < 3


def test_variable_rate_takes_the_nearest_frame(tmp_path):
    rng = np.random.default_rng(2)
    times = np.cumsum(np.r_[500, rng.integers(15, 90, 29)]).tolist()
    encode(tmp_path / "v.mkv", ramp(30), times_ms=times)
    assert video.probe(tmp_path / "v.mkv").variable_rate
    pairs = list(video.read_at_rate(tmp_path / "v.mkv"))
    since = (np.array(times) - times[0]) / 1000
    nearest = [int(np.abs(since - k / 25).round(6).argmin()) for k in range(len(pairs))]
    assert levels(frame for frame, _ in pairs) == nearest
    np.testing.assert_allclose([time for _, time in pairs], since[nearest], atol=1e-9)


def test_constant_rate_passes_unchanged(tmp_path):
    encode(tmp_path / "c.mkv", ramp(20))
    assert levels(frame for frame, _ in video.read_at_rate(tmp_path / "c.mkv")) == list(range(20))


def test_30_to_25(tmp_path):
    encode(tmp_path / "c.mkv", ramp(60), times_ms=[round(1000 * k / 30) for k in range(60)])
    found = levels(frame for frame, _ in video.read_at_rate(tmp_path / "c.mkv"))
    assert len(found) == 50 and all(abs(k / 25 - j / 30) <= 1 / 60 + 1e-3 for k, j in enumerate(found))


def test_paths_with_spaces_and_letters(tmp_path):
    path = tmp_path / "ein Vidéo 録画 'x'.mp4"
    video.write_video(path, ramp(3))
    assert video.probe(path).frames == 3


def test_broken_files_are_refused(tmp_path):
    good = tmp_path / "good.mp4"
    video.write_video(good, ramp(50))
    (tmp_path / "cut.mp4").write_bytes(good.read_bytes()[:400])
    (tmp_path / "text.mp4").write_text("not a video")
    for name in ("cut.mp4", "text.mp4", "missing.mp4"):
        with pytest.raises(FootageError, match=name):
            video.probe(tmp_path / name)


def test_nothing_half_written(tmp_path):
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")

    def breaks():
        yield from ramp(3)
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError):
        video.write_video(path, breaks())
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]
    for frames in ([], [flat((0, 0, 0), 63, 48)], [flat((0, 0, 0)), flat((0, 0, 0), 32, 32)]):
        with pytest.raises(FootageError):
            video.write_video(path, frames)
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_picture_is_a_still_image(tmp_path):
    from emotag.io.sheets import write_png

    write_png(tmp_path / "a.png", flat((9, 9, 9)))
    (tmp_path / "a.mp4").write_bytes((tmp_path / "a.png").read_bytes())
    assert video.probe(tmp_path / "a.mp4").still_image


def test_sound_on_disk_gives_the_same_video(tmp_path):
    frames = [np.full((16, 16, 3), shade, np.uint8) for shade in range(0, 250, 10)]
    sound = np.sin(np.arange(16_000) / 20).astype(np.float32)
    video.write_video(tmp_path / "a.mp4", frames, audio=sound)
    video.write_video(tmp_path / "b.mp4", frames, audio=Spool(tmp_path).keep(sound))
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()
