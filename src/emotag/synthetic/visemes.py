"""Phones to lips: targets fitted to real lips, blended by normalised dominance.

Blending follows Cohen and Massaro (1993): each phone dominates around its middle, with a width that grows with its length
and a strength by how much it insists. Lips also look ahead and linger, so a second, wider dominance with targets of its own
adds what the neighbourhood asks for (rounding begins early), and a raised voice opens the mouth.

The numbers (visemes.json) were fitted to the lips of 17 people speaking (`emotag.synthetic.lip_fit`, where the command is).
They are pooled over all of them, in units of a speaker's standard deviation around the speaker's mean. Tables made from
intuition are far off in aperture.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.ndimage import gaussian_filter1d

from emotag.audio import windows
from emotag.types import TOKEN_RATE_HZ

MEASURES = ("aperture", "width", "protrusion", "jaw")

# Lips move ahead of the sound they belong to: one frame. Real clips cannot tell this from their own offset.
LEAD_S = 0.04

_TABLE = json.loads((Path(__file__).parent / "visemes.json").read_text())
# What a phone asks for at its own time, and of the tenth of a second around it.
NEAR: dict[str, np.ndarray] = {phone: np.array(row["near"]) for phone, row in _TABLE["phones"].items()}
WIDE: dict[str, np.ndarray] = {phone: np.array(row["wide"]) for phone, row in _TABLE["phones"].items()}
# Where the lips arrive when a phone lasts.
TARGETS = {phone: NEAR[phone] + WIDE[phone] for phone in NEAR}
# What a pitch of 1 (see `pitch_course`) adds.
PITCH = np.array(_TABLE["pitch"])

STRENGTHS = {"P": 2.0, "B": 2.0, "M": 2.0, "F": 1.7, "V": 1.5, "W": 1.6}
STRENGTHS |= {"SH": 1.2, "ZH": 1.2, "CH": 1.2, "JH": 1.2, "R": 1.2}
STRENGTHS |= {"HH": 0.55, "T": 0.8, "D": 0.8, "N": 0.8, "L": 0.8, "K": 0.7, "G": 0.7, "NG": 0.7, "Y": 0.8, "SIL": 0.8}
WIDTH_SHARE, WIDTH_S, WIDER_S = 0.22, 0.035, 0.1
# Of log F0: about the spread within an utterance; and how slowly lips follow it.
PITCH_SCALE, PITCH_SMOOTH_S = 0.2, 0.12

Phones = Sequence[tuple[float, float, str]]


def dominance(phones: Phones, times_s: np.ndarray, lead_s: float = LEAD_S, width_s: float = WIDTH_S) -> np.ndarray:
    """Normalised weight of each phone at each time: [T, P], rows sum to 1. `width_s` is a phone's reach beyond its share."""
    start, end = (np.array([phone[i] for phone in phones], np.float64) for i in (0, 1))
    strength = np.array([STRENGTHS.get(symbol, 1.0) for _, _, symbol in phones])
    sigma = WIDTH_SHARE * (end - start) + width_s
    away = (np.asarray(times_s)[:, None] + lead_s - (start + end) / 2) / sigma
    # In logarithms, so that far from every phone the nearest still decides.
    logarithm = np.log(strength) - 0.5 * away**2
    weight = np.exp(logarithm - logarithm.max(1, keepdims=True))
    return weight / weight.sum(1, keepdims=True)


def lip_track(
    phones: Phones,
    times_s: np.ndarray,
    lead_s: float = LEAD_S,
    pitch: np.ndarray | None = None,
) -> np.ndarray:
    """Lip measures at `times_s` [T]: [T, 4] in the order of `MEASURES`, in a speaker's standard deviations.

    Args:
        phones: (start s, end s, ARPAbet symbol) in order of time; an unknown symbol counts as AH.
        times_s: seconds on the sound's clock.
        lead_s: how far lips are ahead of sound.
        pitch: [T] as of `pitch_course`, 0 if None.
    """
    near, wide = (np.array([table.get(name, table["AH"]) for _, _, name in phones]) for table in (NEAR, WIDE))
    track = dominance(phones, times_s, lead_s) @ near + dominance(phones, times_s, lead_s, WIDER_S) @ wide
    return track if pitch is None else track + np.asarray(pitch)[:, None] * PITCH


def regressors(phones: Phones, times_s: np.ndarray, pitch: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """[T, 2 N + 1] of which `lip_track` is a linear map: near and wide dominance of the symbols `names` [N], and pitch."""
    index = [names.index(name if name in names else "AH") for _, _, name in phones]
    pooled = np.eye(len(names))[index]
    near, wide = dominance(phones, times_s) @ pooled, dominance(phones, times_s, width_s=WIDER_S) @ pooled
    return np.concatenate([near, wide, np.asarray(pitch)[:, None]], 1)


def pitch_course(log_f0: np.ndarray, voiced: np.ndarray, times_s: np.ndarray) -> np.ndarray:
    """How high the voice is at `times_s` [T]: [T], 0 at the voice's median and where it is silent.

    `log_f0` [K] and `voiced` [K] at 50 Hz as of `emotag.audio.prosody`.
    """
    heard = np.asarray(voiced) > 0.5
    if not heard.any():
        return np.zeros(len(times_s))
    above = np.where(heard, np.asarray(log_f0, np.float64) - np.median(np.asarray(log_f0)[heard]), 0.0) / PITCH_SCALE
    smooth = gaussian_filter1d(above, PITCH_SMOOTH_S * TOKEN_RATE_HZ, mode="nearest")
    return windows.sample(smooth[:, None], times_s)[:, 0, 0]
