"""Prosody at 50 Hz: fundamental frequency, voicing and energy, on the same moments as the speech features."""

from dataclasses import dataclass

import librosa
import numpy as np

from emotag.types import SAMPLE_RATE_HZ, TOKEN_RATE_HZ

HOP = SAMPLE_RATE_HZ // TOKEN_RATE_HZ
F0_HZ = (60.0, 500.0)
F0_FRAME = 1024
RMS_FRAME = 640
FLOOR_DB = -100.0
# pYIN's path search holds all candidates of all frames, so a long recording is searched in pieces.
PIECE_S = 60


@dataclass(frozen=True)
class Prosody:
    """`log_f0` [K] natural log of Hz (0 where unvoiced), `voiced` [K] 0 or 1, `energy` [K] dB of the RMS, at least -100."""

    log_f0: np.ndarray
    voiced: np.ndarray
    energy: np.ndarray


def prosody(samples: np.ndarray, tokens: int) -> Prosody:
    """Prosody of mono 16 kHz `samples` at the moments k/50 s, k < `tokens` (pYIN, Mauch and Dixon 2014)."""
    sound = np.zeros((tokens + 1) * HOP, np.float32)
    sound[: min(len(samples), len(sound))] = samples[: len(sound)]
    piece = PIECE_S * TOKEN_RATE_HZ
    found = [_pitch(sound, start, min(start + piece, tokens)) for start in range(0, tokens, piece)]
    log_f0 = np.concatenate(found) if found else np.zeros(0, np.float32)
    rms = librosa.feature.rms(y=sound, frame_length=RMS_FRAME, hop_length=HOP)[0, :tokens]
    energy = 20 * np.log10(np.maximum(rms, 10 ** (FLOOR_DB / 20)))
    return Prosody(log_f0, (log_f0 > 0).astype(np.float32), energy.astype(np.float32))


def silent(tokens: int) -> Prosody:
    """No prosody (the ablation): everything zero."""
    return Prosody(*(np.zeros(tokens, np.float32) for _ in range(3)))


def _pitch(sound: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Log F0 of tokens [start, stop), 0 where unvoiced."""
    part = sound[start * HOP : (stop + 1) * HOP]
    low, high = F0_HZ
    pitch, _, _ = librosa.pyin(
        part, fmin=low, fmax=high, sr=SAMPLE_RATE_HZ, frame_length=F0_FRAME, hop_length=HOP, fill_na=0.0
    )
    pitch = pitch[: stop - start]
    return np.log(np.where(pitch > 0, pitch, 1.0)).astype(np.float32)
