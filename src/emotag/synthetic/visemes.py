"""Phones to lips: targets fitted to real lips, blended by normalised dominance.

Targets are fitted ones, in units of a speaker's standard deviation around the speaker's mean: a ridge from speech to
the phones' weights, learnt on the synthetic voices, is run on real clips (17 speakers), and the targets are those that
best turn its output into the measured lips, starting from targets read off aligned phones. Tables made from intuition
are far off in aperture. Blending follows Cohen and Massaro (1993): each phone dominates around its middle, with a width
that grows with its length and a strength by how much it insists.
"""

from collections.abc import Sequence

import numpy as np

MEASURES = ("aperture", "width", "protrusion", "jaw")

# Lips move ahead of the sound they belong to: one frame. Real clips cannot tell this from their own offset.
LEAD_S = 0.04

TARGETS: dict[str, tuple[float, float, float, float]] = {
    "P": (-2.2, -0.8, 0.9, -1.0), "B": (-1.1, -0.2, 0.1, 0.1), "M": (-2.0, -1.3, 1.4, -0.6),
    "F": (-1.5, 0.3, -0.2, -0.9), "V": (-0.7, -0.3, 0.5, -0.2), "W": (-1.6, -1.8, 1.2, 0.6),
    "R": (-1.4, -1.6, 1.7, -1.0), "SH": (0.7, 0.0, 0.4, -0.3), "ZH": (0.0, 0.0, 0.2, -0.7),
    "CH": (0.3, -0.5, 0.9, -0.5), "JH": (0.0, -0.6, 0.5, 0.0), "S": (-0.2, 0.8, -0.6, -0.6),
    "Z": (-0.3, 0.4, -0.4, -1.2), "T": (-0.3, 0.1, 0.3, -1.0), "D": (-0.2, 1.0, -0.5, -0.8),
    "N": (-0.7, 0.8, -0.5, -1.1), "L": (-0.4, 0.7, -0.4, -1.2), "DH": (-0.3, 0.7, -0.8, 0.1),
    "TH": (0.2, 0.4, -0.7, 0.2), "K": (1.2, 0.9, -0.9, 0.3), "G": (0.2, 0.6, -0.3, -0.2),
    "NG": (0.8, 0.5, -0.7, -0.2), "HH": (1.9, 0.6, -0.2, 1.6), "Y": (-0.5, -0.5, 0.9, -0.4),
    "AA": (3.0, 0.3, -0.9, 3.3), "AE": (1.6, 1.2, -1.4, 1.7), "AH": (0.2, -0.3, 0.4, 0.1),
    "AO": (-0.1, -2.9, 1.7, 1.5), "EH": (2.0, 0.9, -1.2, 2.0), "ER": (-0.6, -0.8, 0.8, -0.5),
    "IH": (1.3, 1.2, -1.0, 1.2), "IY": (0.2, 0.9, -1.0, -0.1), "UW": (-1.0, -1.7, 1.1, 0.0),
    "UH": (-0.4, -1.4, 1.1, 0.1), "OW": (0.0, -0.9, 0.4, 0.5), "SIL": (0.2, 0.2, -0.3, 0.1),
}  # fmt: skip

STRENGTHS = {"P": 2.0, "B": 2.0, "M": 2.0, "F": 1.7, "V": 1.5, "W": 1.6}
STRENGTHS |= {"SH": 1.2, "ZH": 1.2, "CH": 1.2, "JH": 1.2, "R": 1.2}
STRENGTHS |= {"HH": 0.55, "T": 0.8, "D": 0.8, "N": 0.8, "L": 0.8, "K": 0.7, "G": 0.7, "NG": 0.7, "Y": 0.8, "SIL": 0.8}
WIDTH_SHARE, WIDTH_S = 0.22, 0.035

Phones = Sequence[tuple[float, float, str]]


def dominance(phones: Phones, times_s: np.ndarray, lead_s: float = LEAD_S) -> np.ndarray:
    """Normalised weight of each phone at each time: [T, P], rows sum to 1."""
    start, end = (np.array([phone[i] for phone in phones], np.float64) for i in (0, 1))
    strength = np.array([STRENGTHS.get(symbol, 1.0) for _, _, symbol in phones])
    sigma = WIDTH_SHARE * (end - start) + WIDTH_S
    away = (np.asarray(times_s)[:, None] + lead_s - (start + end) / 2) / sigma
    # In logarithms, so that far from every phone the nearest still decides.
    logarithm = np.log(strength) - 0.5 * away**2
    weight = np.exp(logarithm - logarithm.max(1, keepdims=True))
    return weight / weight.sum(1, keepdims=True)


def lip_track(
    phones: Phones, times_s: np.ndarray, lead_s: float = LEAD_S, effort: np.ndarray | None = None
) -> np.ndarray:
    """Lip measures at `times_s` [T]: [T, 4] in the order of `MEASURES`, in a speaker's standard deviations.

    Args:
        phones: (start s, end s, ARPAbet symbol) in order of time; an unknown symbol counts as AH.
        times_s: seconds on the sound's clock.
        lead_s: how far lips are ahead of sound.
        effort: [P] factor on each phone's opening (stress, loudness), 1 if None; closures keep their targets.
    """
    targets = np.array([TARGETS.get(symbol, TARGETS["AH"]) for _, _, symbol in phones])
    if effort is not None:
        opening = targets[:, [0, 3]]
        targets[:, [0, 3]] = np.where(opening > 0, opening * np.asarray(effort)[:, None], opening)
    return dominance(phones, times_s, lead_s) @ targets
