"""Action units from ARKit expression units.

The map is ours (after the names in Apple's ARKit blend shape list and Ekman's FACS): linear, 5 at unit strength 1, not
calibrated against OpenFace or human coders.
"""

import torch
from torch import Tensor

MAP: dict[str, tuple[str, ...]] = {
    "AU01": ("browInnerUp",),
    "AU02": ("browOuterUpLeft", "browOuterUpRight"),
    "AU04": ("browDownLeft", "browDownRight"),
    "AU05": ("eyeWideLeft", "eyeWideRight"),
    "AU06": ("cheekSquintLeft", "cheekSquintRight"),
    "AU07": ("eyeSquintLeft", "eyeSquintRight"),
    "AU09": ("noseSneerLeft", "noseSneerRight"),
    "AU10": ("mouthUpperUpLeft", "mouthUpperUpRight"),
    "AU12": ("mouthSmileLeft", "mouthSmileRight"),
    "AU14": ("mouthDimpleLeft", "mouthDimpleRight"),
    "AU15": ("mouthFrownLeft", "mouthFrownRight"),
    "AU17": ("mouthShrugLower",),
    "AU20": ("mouthStretchLeft", "mouthStretchRight"),
    "AU23": ("mouthPressLeft", "mouthPressRight", "mouthRollLower", "mouthRollUpper"),
    "AU45": ("eyeBlinkLeft", "eyeBlinkRight"),
}
PARTING = ("mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight")
NAMES = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23",
    "AU25", "AU26", "AU45",
)  # fmt: skip


def action_units(expression: Tensor, jaw: Tensor, names: tuple[str, ...], jaw_limits: tuple[float, float]) -> Tensor:
    """Intensities [B, 17] 0 to 5 in the order of `NAMES`.

    AU26 (jaw drop) is the jaw's pitch over its limit; AU25 (lips part) is the larger of that, less what mouthClose
    takes back, and the mean of the four lip raisers and depressors; every other unit is the mean of its ARKit units.

    Args: `expression` [B, E] and `jaw` [B, 3] rad, both relative to the person's neutral; `names` of the E units.
    """
    column = {name: expression[:, i] for i, name in enumerate(names)}

    def mean(units: tuple[str, ...]) -> Tensor:
        return torch.stack([column[unit] for unit in units]).mean(0)

    opening = jaw[:, 0] / jaw_limits[0]
    strength = {name: mean(units) for name, units in MAP.items()}
    strength["AU25"] = torch.maximum(opening - column["mouthClose"], mean(PARTING))
    strength["AU26"] = opening
    return 5 * torch.stack([strength[name] for name in NAMES], -1).clamp(0, 1)
