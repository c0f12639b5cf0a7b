"""Audio files in and out: any container and codec to mono float32, and 16-bit wav.

Sample 0 is the moment the first video frame is shown (or the first sample, where there is no picture), so that sound and
picture share one clock: a stream that starts late is padded with silence, one that starts early is cut.
"""

import io
import math
import wave
from pathlib import Path

import av
import numpy as np
from scipy.signal import resample_poly

from emotag.errors import FootageError
from emotag.io.artifact import write_atomic
from emotag.io.video import open_media
from emotag.types import SAMPLE_RATE_HZ

# Timestamps jitter by rounding; only a jump of more than this is a real gap or overlap.
_TOLERANCE_S = 0.03


def read_audio(path: Path, sample_rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """First audio stream of a file as mono [samples] float32, nominally -1 to 1, from the video's start on.

    Channels are averaged; the rate is changed by a linear-phase polyphase filter (no delay).

    Raises:
        FootageError: the file cannot be decoded, has no audio stream, or the stream changes its format midway
            or holds what is no number.
    """
    with open_media(path) as container:
        if not container.streams.audio:
            raise FootageError(f"{path}: has no audio stream; give a file with sound")
        stream = container.streams.audio[0]
        rate = int(stream.codec_context.sample_rate or 0)
        chunks = _decode_mono(container, stream, rate, path)
    if not chunks:
        raise FootageError(f"{path}: its audio stream is empty; give a file with sound")
    broken = next((start for start, samples in chunks if not np.isfinite(samples).all()), None)
    if broken is not None:
        raise FootageError(f"{path}: found samples that are not finite after {broken:.2f} s; export the sound again")
    origin = _picture_start_s(path)
    samples = _place(chunks, rate, chunks[0][0] if origin is None else origin)
    if rate != sample_rate_hz:
        common = math.gcd(rate, sample_rate_hz)
        samples = resample_poly(samples, sample_rate_hz // common, rate // common).astype(np.float32)
    return samples


def write_wav(path: Path, samples: np.ndarray, sample_rate_hz: int = SAMPLE_RATE_HZ) -> None:
    """Write mono float samples, -1 to 1, as 16-bit PCM wav, atomically; what exceeds the range is clipped."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(np.clip(np.round(np.asarray(samples) * 32768.0), -32768, 32767).astype("<i2").tobytes())
    write_atomic(Path(path), buffer.getvalue())


def excerpt(samples: np.ndarray, start_s: float, seconds: float, sample_rate_hz: int = SAMPLE_RATE_HZ) -> np.ndarray:
    """The `seconds` of mono sound from `start_s` (which may be negative) on; silence where the sound does not reach."""
    start, length = round(start_s * sample_rate_hz), round(seconds * sample_rate_hz)
    inside = samples[max(0, start) : max(0, start + length)]
    if len(inside) == length:
        return inside
    before = min(length, max(0, -start))
    return np.pad(inside, (before, length - before - len(inside)))


def _decode_mono(
    container: av.container.InputContainer, stream: av.AudioStream, rate: int, path: Path
) -> list[tuple[float, np.ndarray]]:
    """(start in s, samples) of each decoded frame, channels averaged."""
    to_float = av.AudioResampler(format="fltp")
    chunks = []
    for frame in container.decode(stream):
        if frame.sample_rate != rate:
            raise FootageError(
                f"{path}: the audio's sample rate changes from {rate} to {frame.sample_rate} Hz; export the file again"
            )
        start = frame.time
        for part in to_float.resample(frame):
            chunks.append((start, part.to_ndarray().mean(axis=0, dtype=np.float32)))
    return chunks


def _picture_start_s(path: Path) -> float | None:
    """Time of the first frame shown on the container's clock, or None without a picture (cover art does not count)."""
    with open_media(path) as container:
        pictures = [s for s in container.streams.video if not s.disposition & av.stream.Disposition.attached_pic]
        frame = next(container.decode(pictures[0]), None) if pictures else None
        return None if frame is None else frame.time


def _place(chunks: list[tuple[float, np.ndarray]], rate: int, origin: float) -> np.ndarray:
    """Lay the chunks on one time line that starts at `origin` s; real gaps become silence."""
    position = round(((chunks[0][0] or 0.0) - origin) * rate)
    placed = []
    for start, samples in chunks:
        wanted = position if start is None else round((start - origin) * rate)
        if abs(wanted - position) > _TOLERANCE_S * rate:
            position = wanted
        placed.append((position, samples))
        position += len(samples)
    line = np.zeros(max(0, *(begin + len(samples) for begin, samples in placed)), dtype=np.float32)
    for begin, samples in placed:
        cut = max(0, -begin)
        if cut < len(samples):
            line[begin + cut : begin + len(samples)] = samples[cut:]
    return line
