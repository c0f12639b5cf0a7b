"""Action-unit error, lower and upper face (methods of InsTaG and EmoTaG)."""

import numpy as np

LOWER = ("AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26")
UPPER = ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU45")


def action_unit_error(names: list[str], truth: np.ndarray, predicted: np.ndarray, chosen: tuple[str, ...]) -> float:
    """Sum over the `chosen` units of the mean over frames of the squared difference of intensities [T, A] 0..5."""
    columns = [names.index(name) for name in chosen]
    return float(((truth[:, columns] - predicted[:, columns]) ** 2).mean(0).sum())
