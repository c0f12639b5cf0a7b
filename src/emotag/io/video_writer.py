"""Video files out, through PyAV (FFmpeg): H.264 with sound, and lossless grey.

Writing is atomic and the same frames give the same bytes (one encoder thread, no dates). Colours are stored and tagged as
BT.709, limited range.
"""

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from emotag.errors import FootageError
from emotag.io.tensors import StoredArray, replacing
from emotag.types import FPS, SAMPLE_RATE_HZ

SCALER = (
    Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.FULL_CHR_H_INP
)
_BT709 = 1
# Bit-exact muxing leaves out dates and versions; the index goes first, so that players can start at once.
_MP4_OPTIONS = {"fflags": "+bitexact", "movflags": "+faststart"}


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    fps: int = FPS,
    crf: int = 16,
    audio: np.ndarray | StoredArray | None = None,
    all_intra: bool = False,
    comment: str = "",
) -> int:
    """Write frames [H, W, 3] uint8 (even sizes) as H.264 yuv420p mp4 and return their number.

    `audio` [samples] is mono float at 16 kHz, -1 to 1, starting with the first frame; it is cut or padded with silence to
    the video's length and stored as AAC. `all_intra` makes every frame a key frame. `comment` goes into the file's metadata.

    Raises:
        FootageError: there are no frames, or a frame's size is odd or changes.
    """
    with (
        replacing(path, Path(path).suffix) as temporary,
        av.open(str(temporary), "w", options=_MP4_OPTIONS) as container,
    ):
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
    with (
        replacing(path, Path(path).suffix) as temporary,
        av.open(str(temporary), "w", options={"fflags": "+bitexact"}) as container,
    ):
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


class _SoundTrack:
    """Feeds mono sound to the muxer in step with the frames, so that the file is interleaved."""

    def __init__(self, container: av.container.OutputContainer, audio: np.ndarray | StoredArray, fps: int) -> None:
        self.container, self.fps, self.done = container, fps, 0
        self.audio = audio
        self.stream = container.add_stream("aac", rate=SAMPLE_RATE_HZ, layout="mono")
        self.stream.bit_rate = 96_000
        _make_deterministic(self.stream)

    def write_until(self, frame_count: int) -> None:
        end = round(frame_count * SAMPLE_RATE_HZ / self.fps)
        chunk = np.clip(np.asarray(self.audio[self.done : end], np.float32), -1.0, 1.0)
        chunk = np.pad(chunk, (0, end - self.done - len(chunk)))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(chunk[None]), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE_HZ, self.done, Fraction(1, SAMPLE_RATE_HZ)
        self.container.mux(self.stream.encode(frame))
        self.done = end

    def finish(self) -> None:
        self.container.mux(self.stream.encode())


def _bt709_frame(picture: np.ndarray) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=SCALER,
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
