"""Mel-frequency cepstra as `python_speech_features.mfcc` makes them by default, which SyncNet was trained on.

Pre-emphasis 0.97; windows of 25 ms, 10 ms apart, without taper, the last one filled with zeros; power spectrum of 512 points;
26 triangles on the mel scale 2595 log10(1 + f/700) from 0 to 8 kHz, with corners on whole bins; logarithm; orthonormal cosine
transform, of which 13 are kept; sine lifter of 22; the first one replaced by the logarithm of the window's energy.
"""

import math

import numpy as np
from scipy.fft import dct

from emotag.types import SAMPLE_RATE_HZ

WINDOW = 400
STEP = 160
POINTS = 512
TRIANGLES = 26
KEPT = 13
LIFTER = 22
PRE_EMPHASIS = 0.97


def mfcc(samples: np.ndarray) -> np.ndarray:
    """[frames, 13] at 100 Hz of mono 16 kHz `samples` on the scale of 16-bit integers (the first one depends on it)."""
    signal = np.asarray(samples, np.float64)
    signal = np.append(signal[:1], signal[1:] - PRE_EMPHASIS * signal[:-1])
    count = 1 + max(0, math.ceil((len(signal) - WINDOW) / STEP))
    signal = np.pad(signal, (0, max(0, (count - 1) * STEP + WINDOW - len(signal))))
    windows = np.lib.stride_tricks.sliding_window_view(signal, WINDOW)[::STEP][:count]
    power = np.abs(np.fft.rfft(windows, POINTS)) ** 2 / POINTS
    energy = _positive(power.sum(1))
    cepstra = dct(np.log(_positive(power @ _triangles().T)), type=2, axis=1, norm="ortho")[:, :KEPT]
    cepstra *= 1 + LIFTER / 2 * np.sin(np.pi * np.arange(KEPT) / LIFTER)
    cepstra[:, 0] = np.log(energy)
    return cepstra


def _positive(values: np.ndarray) -> np.ndarray:
    return np.where(values == 0, np.finfo(float).eps, values)


def _triangles() -> np.ndarray:
    """[26, 257] filters."""
    highest = 2595 * math.log10(1 + SAMPLE_RATE_HZ / 2 / 700)
    hertz = 700 * (10 ** (np.linspace(0, highest, TRIANGLES + 2) / 2595) - 1)
    corners = np.floor((POINTS + 1) * hertz / SAMPLE_RATE_HZ)
    bins = np.arange(POINTS // 2 + 1)
    rows = []
    for low, middle, high in zip(corners, corners[1:], corners[2:], strict=False):
        rising = np.where((bins >= low) & (bins < middle), (bins - low) / max(middle - low, 1), 0)
        falling = np.where((bins >= middle) & (bins < high), (high - bins) / max(high - middle, 1), 0)
        rows.append(rising + falling)
    return np.array(rows)
