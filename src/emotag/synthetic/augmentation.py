"""Seeded changes of synthetic speech that leave its timing alone: room, noise, tilt and equaliser, gain.

With them a prior learnt on synthetic voices carries over to recordings of real ones.
"""

from dataclasses import replace

import numpy as np
from scipy.signal import fftconvolve, resample_poly

from emotag.synthetic.voices import Voice
from emotag.types import SAMPLE_RATE_HZ

# Ranges: reverberation time s, direct over reverberant sound dB, noise under speech dB, tilt dB an octave, bands dB, gain dB.
RT60_S, DIRECT_DB, SNR_DB = (0.1, 0.45), (3.0, 15.0), (18.0, 45.0)
TILT_DB, BAND_DB, GAIN_DB = (-1.5, 1.5), 3.0, (-8.0, 6.0)
BANDS_HZ = np.geomspace(100.0, 7_500.0, 8)
REFERENCE_HZ = 1_000.0


def augmented(audio: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Another room, microphone and level [samples] float32 for mono 16 kHz `audio`."""
    tilt = random.uniform(*TILT_DB) * np.log2(BANDS_HZ / REFERENCE_HZ)
    wet = reverberant(audio, random.uniform(*RT60_S), random.uniform(*DIRECT_DB), random)
    heard = equalised(wet, tilt + random.normal(0.0, BAND_DB, len(BANDS_HZ)))
    heard = with_noise(heard, random.uniform(*SNR_DB), random) * 10 ** (random.uniform(*GAIN_DB) / 20)
    # Louder than full scale would clip in a recording; turn it down instead.
    return (heard / max(1.0, np.abs(heard).max() / 0.98)).astype(np.float32)


def reverberant(audio: np.ndarray, rt60_s: float, direct_db: float, random: np.random.Generator) -> np.ndarray:
    """Sound in a room: exponentially decaying noise follows the direct sound, which keeps its place."""
    length = round(rt60_s * SAMPLE_RATE_HZ)
    decay = 10 ** (-3 * np.arange(length) / length)
    tail = random.normal(size=length) * decay
    tail[: round(0.004 * SAMPLE_RATE_HZ)] = 0.0
    tail *= 10 ** (-direct_db / 20) / np.linalg.norm(tail)
    return audio + fftconvolve(audio, tail)[: len(audio)]


def equalised(audio: np.ndarray, gains_db: np.ndarray) -> np.ndarray:
    """Zero-phase filter with `gains_db` [8] at `BANDS_HZ`, linear in between over the logarithm of the frequency."""
    spectrum = np.fft.rfft(audio)
    frequency = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE_HZ)
    gain = np.interp(np.log(np.maximum(frequency, 1.0)), np.log(BANDS_HZ), gains_db)
    return np.fft.irfft(spectrum * 10 ** (gain / 20), len(audio))


def with_noise(audio: np.ndarray, snr_db: float, random: np.random.Generator) -> np.ndarray:
    """Pink noise added at `snr_db` under the whole recording's power."""
    spectrum = np.fft.rfft(random.normal(size=len(audio)))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1.0))
    noise = np.fft.irfft(spectrum, len(audio))
    return audio + noise * np.sqrt(np.mean(audio**2) / np.mean(noise**2)) * 10 ** (-snr_db / 20)


def at_speed(voice: Voice, percent: int) -> Voice:
    """`voice` played at `percent` of its speed: pitch, resonances and phone times change together."""
    factor = 100 / percent
    phones = [(start * factor, end * factor, phone) for start, end, phone in voice.phones]
    return replace(voice, audio=resample_poly(voice.audio, 100, percent).astype(np.float32), phones=phones)
