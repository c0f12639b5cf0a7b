"""Video files in and out, through PyAV (FFmpeg).

Frames are RGB uint8 arrays [H, W, 3], upright (the rotation flag is applied), whatever the file's pixel format is. Times
are seconds after the first frame shown. Colours: the stream's own matrix and range; a file that names none is taken as
BT.709 from 1280 x 577 on and as BT.601 below, as players do. Files written here are tagged BT.709, limited range.
Writing is atomic and the same frames give the same bytes (one encoder thread, no dates).
"""

import math
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from emotag.errors import FootageError
from emotag.types import FPS, SAMPLE_RATE_HZ

EXTENSIONS = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .webm .wmv".split(),
)
IMAGE_EXTENSIONS = frozenset(".bmp .gif .heic .jpeg .jpg .png .tif .tiff .webp".split())

_UNSPECIFIED = 2
_SCALER = (
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)
_BT709 = 1
_TRANSFER_OF_HDR = (16, 18)


@dataclass(frozen=True)
class VideoInfo:
    """What a video file holds: size in px as shown (after rotation), `rotation` in degrees counter-clockwise as flagged,
    mean `fps`, `variable_rate` (frame intervals differ by more than a half), `frames` and `duration_s` by the packets'
    times, `still_image` (an image format, or a single frame), `hdr` (PQ or HLG transfer), the audio stream's count, and
    rate and channels of the first."""

    width: int
    height: int
    rotation: int
    fps: float
    variable_rate: bool
    frames: int
    duration_s: float
    codec: str
    pixel_format: str
    still_image: bool
    hdr: bool
    audio_streams: int
    audio_rate_hz: int
    audio_channels: int


@contextmanager
def open_media(path: Path) -> Iterator[av.container.InputContainer]:
    """Open a media file for reading.

    Raises:
        FootageError: the file is missing or no container that FFmpeg knows, or breaks while it is read.
    """
    path = Path(path)
    if not path.is_file():
        raise FootageError(f"{path}: no such file; give the path of a video file")
    try:
        with av.open(str(path)) as container:
            yield container
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FootageError(
            f"{path}: cannot be decoded ({reason}), the file is damaged or not a video; play it through once, then export "
            "it again as mp4"
        ) from error


def probe(path: Path) -> VideoInfo:
    """Look at a video file; decodes one frame and reads the packets' times.

    Raises:
        FootageError: as `open_media`, or the file has no picture.
    """
    with open_media(path) as container:
        stream = _picture_stream(container, path)
        first = next(container.decode(stream), None)
        if first is None:
            raise FootageError(f"{path}: holds no picture that can be decoded; export it again as mp4")
        audio = container.streams.audio
        container_name = container.format.name
        codec = stream.codec_context.name
    times, end = _packet_times(path)
    intervals = np.diff(times)
    duration = end - times[0]
    fps = (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0
    turned = first.rotation % 180 != 0
    return VideoInfo(
        width=first.height if turned else first.width,
        height=first.width if turned else first.height,
        rotation=int(first.rotation),
        fps=float(fps),
        variable_rate=bool(len(intervals) and np.ptp(intervals) > 0.5 * np.median(intervals)),
        frames=len(times),
        duration_s=float(duration),
        codec=codec,
        pixel_format=first.format.name,
        still_image=len(times) < 2 or "image2" in container_name or container_name.endswith("_pipe"),
        hdr=int(first.color_trc) in _TRANSFER_OF_HDR,
        audio_streams=len(audio),
        audio_rate_hz=int(audio[0].codec_context.sample_rate or 0) if audio else 0,
        audio_channels=int(audio[0].codec_context.channels or 0) if audio else 0,
    )


def read_frames(path: Path, start: int = 0, stop: int | None = None, size: int | None = None) -> Iterator[np.ndarray]:
    """Frames [H, W, 3] uint8 number `start` to `stop` (exclusive) in order of showing; `size` px: resized to a square.

    Raises:
        FootageError: as `open_media`.
    """
    for index, frame in enumerate(_decode(path)):
        if stop is not None and index >= stop:
            return
        if index >= start:
            picture = to_rgb(frame)
            yield picture if size is None else resize(picture, size, size)


def read_at_rate(path: Path, fps: int = FPS) -> Iterator[tuple[np.ndarray, float]]:
    """Frames at a constant rate: for each k/fps the source frame nearest in time, with that frame's own time in s.

    A source at exactly `fps` passes through unchanged; of two equally near frames the earlier is taken.

    Raises:
        FootageError: as `open_media`.
    """
    count = max(1, math.floor(probe(path).duration_s * fps + 1e-6))
    k, origin, held = 0, None, None
    for frame in _decode(path):
        origin = frame.time if origin is None else origin
        now = frame.time - origin
        picture = None
        while held is not None and k < count and k / fps - held[1] <= now - k / fps + 1e-9:
            picture = to_rgb(held[0]) if picture is None else picture
            yield picture, held[1]
            k += 1
        held = (frame, now)
    if held is not None and k < count:
        picture = to_rgb(held[0])
        for _ in range(k, count):
            yield picture, held[1]


def read_gray(path: Path, start: int = 0, stop: int | None = None) -> Iterator[np.ndarray]:
    """Single-channel frames [H, W] uint8 as `write_gray` stored them.

    Raises:
        FootageError: as `open_media`, or the frames are not 8-bit grey.
    """
    for index, frame in enumerate(_decode(path)):
        if frame.format.name != "gray":
            raise FootageError(f"{path}: found pixel format {frame.format.name}, expected gray; make the file again")
        if stop is not None and index >= stop:
            return
        if index >= start:
            yield frame.to_ndarray()


def to_rgb(frame: av.VideoFrame) -> np.ndarray:
    """A decoded frame to upright RGB [H, W, 3] uint8; alpha is composed over black, deeper samples are rounded."""
    if frame.format.name in ("gray", "gray8"):
        picture = np.repeat(frame.to_ndarray()[..., None], 3, axis=-1)
    else:
        alpha = any(component.is_alpha for component in frame.format.components)
        picture = frame.reformat(
            format="rgba" if alpha else "rgb24",
            src_colorspace=_matrix(frame),
            dst_colorspace=Colorspace.DEFAULT,
            src_color_range=_colour_range(frame),
            dst_color_range=ColorRange.JPEG,
            interpolation=_SCALER,
            threads=1,
        ).to_ndarray()
        if alpha:
            weight = picture[..., 3:].astype(np.uint16)
            picture = ((picture[..., :3] * weight + 127) // 255).astype(np.uint8)
    # FFmpeg gives the angle counter-clockwise by which the stored picture is to be turned for showing.
    return np.ascontiguousarray(np.rot90(picture, k=round(frame.rotation / 90) % 4))


def resize(picture: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize [H, W(, C)] uint8: mean over the covered area when shrinking, Lanczos when enlarging."""
    if picture.shape[:2] == (height, width):
        return picture
    shrinking = width <= picture.shape[1] and height <= picture.shape[0]
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_LANCZOS4)


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    fps: int = FPS,
    crf: int = 16,
    audio: np.ndarray | None = None,
    all_intra: bool = False,
    comment: str = "",
) -> int:
    """Write frames [H, W, 3] uint8 (even sizes) as H.264 yuv420p mp4 and return their number.

    `audio` is mono float at 16 kHz, -1 to 1, starting with the first frame; it is cut or padded with silence to the
    video's length and stored as AAC. `all_intra` makes every frame a key frame. `comment` goes into the file's metadata.

    Raises:
        FootageError: there are no frames, or a frame's size is odd or changes.
    """
    with _atomic(path) as temporary, av.open(str(temporary), "w", options=_MP4_OPTIONS) as container:
        if comment:
            container.metadata["comment"] = comment
        stream = None
        sound = _SoundTrack(container, audio, fps) if audio is not None else None
        for index, picture in enumerate(frames):
            if stream is None:
                stream = _h264_stream(container, picture, fps, crf, all_intra, path)
            _check_size(picture, stream, index, path)
            frame = _bt709_frame(picture)
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
            if sound is not None:
                sound.write_until(index + 1)
        if stream is None:
            raise FootageError(f"{path}: no frames to write; expected at least one")
        container.mux(stream.encode())
        if sound is not None:
            sound.finish()
        return index + 1


def write_gray(path: Path, frames: Iterable[np.ndarray], fps: int = FPS) -> int:
    """Write single-channel frames [H, W] uint8 without loss (FFV1 in Matroska) and return their number.

    Raises:
        FootageError: there are no frames, or the size changes.
    """
    with _atomic(path) as temporary, av.open(str(temporary), "w", options={"fflags": "+bitexact"}) as container:
        stream = None
        for index, picture in enumerate(frames):
            if stream is None:
                stream = container.add_stream("ffv1", rate=fps, options={"level": "3", "slices": "4", "g": "1"})
                stream.height, stream.width, stream.pix_fmt = *picture.shape, "gray"
                _make_deterministic(stream)
            _check_size(picture, stream, index, path)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="gray")
            frame.pts, frame.time_base = index, Fraction(1, fps)
            container.mux(stream.encode(frame))
        if stream is None:
            raise FootageError(f"{path}: no frames to write; expected at least one")
        container.mux(stream.encode())
        return index + 1


# Bit-exact muxing leaves out dates and versions; the index goes first, so that players can start at once.
_MP4_OPTIONS = {"fflags": "+bitexact", "movflags": "+faststart"}


class _SoundTrack:
    """Feeds mono sound to the muxer in step with the frames, so that the file is interleaved."""

    def __init__(self, container: av.container.OutputContainer, audio: np.ndarray, fps: int) -> None:
        self.container, self.fps, self.done = container, fps, 0
        self.audio = np.clip(np.asarray(audio, dtype=np.float32).reshape(-1), -1.0, 1.0)
        self.stream = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        self.stream.bit_rate = 96_000
        _make_deterministic(self.stream)

    def write_until(self, frame_count: int) -> None:
        end = round(frame_count * SAMPLE_RATE_HZ / self.fps)
        chunk = self.audio[self.done : end]
        chunk = np.pad(chunk, (0, end - self.done - len(chunk)))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk[None]), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, self.done, Fraction(1, SAMPLE_RATE_HZ)
        self.container.mux(self.stream.encode(frame))
        self.done = end

    def finish(self) -> None:
        self.container.mux(self.stream.encode())


def _picture_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    if not container.streams.video:
        raise FootageError(f"{path}: has no video stream; give a video file with picture and sound")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _decode(path: Path) -> Iterator[av.VideoFrame]:
    with open_media(path) as container:
        yield from container.decode(_picture_stream(container, path))


def _packet_times(path: Path) -> tuple[np.ndarray, float]:
    """Sorted times of the frames in s and the end of the last one."""
    with open_media(path) as container:
        stream = _picture_stream(container, path)
        packets = [
            (packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base)
            for packet in container.demux(stream)
            if packet.pts is not None and packet.size and not packet.is_discard
        ]
        guess = 1 / stream.average_rate if stream.average_rate else Fraction(0)
    if not packets:
        raise FootageError(f"{path}: holds no timed pictures; export it again as mp4")
    packets.sort()
    last, duration = packets[-1]
    return np.array([float(time) for time, _ in packets]), float(last + (duration or guess))


def _matrix(frame: av.VideoFrame) -> Colorspace:
    named = int(frame.colorspace)
    if named in (_UNSPECIFIED, 0):
        return Colorspace.ITU709 if frame.width >= 1280 or frame.height > 576 else Colorspace.ITU601
    return frame.colorspace


def _colour_range(frame: av.VideoFrame) -> ColorRange:
    full = frame.color_range == ColorRange.JPEG or frame.format.name.startswith("yuvj") or frame.format.is_rgb
    return ColorRange.JPEG if full else ColorRange.MPEG


def _bt709_frame(picture: np.ndarray) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=_SCALER,
        threads=1,
    )


def _h264_stream(
    container: av.container.OutputContainer, picture: np.ndarray, fps: int, crf: int, all_intra: bool, path: Path
) -> av.VideoStream:
    height, width = picture.shape[:2]
    if height % 2 or width % 2:
        raise FootageError(f"{path}: found frames of {width}x{height} px, expected even sizes; choose an even size_px")
    options = {"crf": str(crf), "preset": "medium"} | ({"g": "1"} if all_intra else {})
    stream = container.add_stream("libx264", rate=fps, options=options)
    stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
    context = stream.codec_context
    context.colorspace = context.color_primaries = context.color_trc = _BT709
    context.color_range = ColorRange.MPEG
    _make_deterministic(stream)
    return stream


def _make_deterministic(stream: av.stream.Stream) -> None:
    stream.codec_context.thread_count = 1
    stream.codec_context.flags |= av.codec.context.Flags.bitexact


def _check_size(picture: np.ndarray, stream: av.VideoStream, index: int, path: Path) -> None:
    if picture.shape[:2] != (stream.height, stream.width):
        found = f"{picture.shape[1]}x{picture.shape[0]}"
        raise FootageError(f"{path}: frame {index} is {found} px, expected {stream.width}x{stream.height} as the first")


@contextmanager
def _atomic(path: Path) -> Iterator[Path]:
    """A temporary name beside `path`, moved to `path` when all went well and removed otherwise."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}.", suffix=path.suffix)
    os.close(handle)
    try:
        yield Path(name)
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
