"""Video files in, through PyAV (FFmpeg), and by their one name the writers of `emotag.io.video_writer`.

Frames are RGB uint8 arrays [H, W, 3], upright (the rotation flag is applied), whatever the file's pixel format is. Times
are seconds after the first frame shown. Colours: the stream's own matrix and range; a file that names none is taken as
BT.709 from 1280 px of width or 577 of height on and as BT.601 below, as players do.
"""

import math
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.video.reformatter import ColorRange, Colorspace

from emotag.errors import ArtifactMismatch, FootageError
from emotag.io.video_writer import SCALER, write_gray, write_video
from emotag.types import FPS

__all__ = [
    "EXTENSIONS", "IMAGE_EXTENSIONS", "VideoInfo", "check_length", "open_media", "probe", "read_at_rate", "read_frames",
    "read_gray", "resize", "to_rgb", "write_gray", "write_video",
]  # fmt: skip

EXTENSIONS = frozenset(
    ".3gp .avi .flv .m2ts .m4v .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts .webm .wmv".split(),
)
IMAGE_EXTENSIONS = frozenset(".bmp .gif .heic .jpeg .jpg .png .tif .tiff .webp".split())

_UNSPECIFIED = 2
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
        raise FootageError(f"{path}: no such file; give the path of a video or sound file")
    try:
        with av.open(str(path)) as container:
            yield container
    except (av.error.FFmpegError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise FootageError(
            f"{path}: cannot be decoded ({reason}), the file is damaged or neither video nor sound; play it through "
            "once, then export it again"
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


def check_length(path: Path, count: int, other: Path) -> None:
    """Refuse a video that has not as many frames as `other`, which was made from it, has entries.

    Raises:
        ArtifactMismatch: they differ.
    """
    found = probe(path).frames
    if found != count:
        raise ArtifactMismatch(f"{other}: found {count} frames, expected {found} as in {path}; make both again")


def read_frames(
    path: Path,
    start: int = 0,
    stop: int | None = None,
    size: int | None = None,
    only: Collection[int] | None = None,
) -> Iterator[np.ndarray]:
    """Frames [H, W, 3] uint8 number `start` to `stop` (exclusive) in order of showing; `size` px: resized to a square.

    With `only`, those of them whose numbers it holds: the others are not converted to RGB, which takes twice as long as
    decoding.

    Raises:
        FootageError: as `open_media`.
    """
    for frame in _chosen(path, start, stop, only):
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


def read_gray(
    path: Path, start: int = 0, stop: int | None = None, only: Collection[int] | None = None
) -> Iterator[np.ndarray]:
    """Single-channel frames [H, W] uint8 as `write_gray` stored them; `start`, `stop` and `only` as in `read_frames`.

    Raises:
        FootageError: as `open_media`, or the frames are not 8-bit grey.
    """
    for frame in _chosen(path, start, stop, only):
        if frame.format.name != "gray":
            raise FootageError(f"{path}: found pixel format {frame.format.name}, expected gray; make the file again")
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
            interpolation=SCALER,
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


def _picture_stream(container: av.container.InputContainer, path: Path) -> av.VideoStream:
    if not container.streams.video:
        raise FootageError(f"{path}: has no video stream; give a video file with picture and sound")
    stream = container.streams.video[0]
    stream.thread_type = "AUTO"
    return stream


def _decode(path: Path) -> Iterator[av.VideoFrame]:
    size = None
    with open_media(path) as container:
        for frame in container.decode(_picture_stream(container, path)):
            size = size or (frame.width, frame.height)
            if (frame.width, frame.height) != size:
                raise FootageError(
                    f"{path}: found frames of {frame.width}x{frame.height} px after {frame.time or 0:.1f} s, expected "
                    f"{size[0]}x{size[1]} as the first; the picture changes its size, so export the file again"
                )
            yield frame


def _chosen(path: Path, start: int, stop: int | None, only: Collection[int] | None) -> Iterator[av.VideoFrame]:
    wanted = None if only is None else frozenset(map(int, only))
    end = math.inf if wanted is None else max(wanted, default=-1) + 1
    for index, frame in enumerate(_decode(path)):
        if index >= end or (stop is not None and index >= stop):
            return
        if index >= start and (wanted is None or index in wanted):
            yield frame


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
