"""The channels of a motion vector: expression units, then the jaw, and what drives each of them.

Upper-face units (brows, eyelids, cheeks, nose) are driven by the action-unit cues, everything else by speech. Unknown
names count as lower face, so that nothing of the mouth can ever come from a cue.
"""

from collections.abc import Sequence

import numpy as np

JAW_NAMES = ("jaw_x", "jaw_y", "jaw_z")
# FLAME's mixtures are called after the half of the face that they move.
UPPER_PREFIXES = ("brow", "eye", "cheeksquint", "nosesneer", "upper")
LIP_PREFIXES = ("mouth", "jaw", "lower")


def motion_names(expression_names: Sequence[str]) -> list[str]:
    """Names of the C = E + 3 channels of a motion vector."""
    return [*expression_names, *JAW_NAMES]


def upper_face(names: Sequence[str]) -> np.ndarray:
    """[C] bool: the channels driven by the action-unit cues."""
    return np.array([name.lower().startswith(UPPER_PREFIXES) for name in names], bool)


def lips(names: Sequence[str]) -> np.ndarray:
    """[C] bool: the channels that shape the mouth (all others that are not upper face are tongue and cheeks)."""
    return np.array([name.lower().startswith(LIP_PREFIXES) for name in names], bool)
