"""Lip measures to mouth units: a box-constrained linear least squares on the head's own landmarks.

In the head's frame landmarks are linear in expression units and jaw, so gaps of the lips, mouth width, protrusion and
jaw are too, and the fit of one frame is a small convex problem with one matrix for all frames (cyclic coordinate
descent, projected on the box).
"""

from dataclasses import dataclass

import numpy as np
import torch

from emotag.head.arkit import ArkitHead
from emotag.head.landmark_sets import INNER_LIP_PAIRS, INNER_LIPS, OUTER_EYE_CORNERS, OUTER_LIPS
from emotag.synthetic.visemes import Phones, dominance

# What the fit may move; left and right go together.
CONTROLS: tuple[tuple[str, ...], ...] = (
    ("jaw_x",), ("mouthClose",), ("mouthFunnel",), ("mouthPucker",),
    ("mouthLowerDownLeft", "mouthLowerDownRight"), ("mouthUpperUpLeft", "mouthUpperUpRight"),
    ("mouthStretchLeft", "mouthStretchRight"), ("mouthDimpleLeft", "mouthDimpleRight"),
    ("mouthPressLeft", "mouthPressRight"), ("mouthRollLower",), ("mouthRollUpper",),
    ("mouthShrugLower",), ("mouthShrugUpper",),
)  # fmt: skip
NAMES = tuple(group[0].removesuffix("Left") for group in CONTROLS)
# How sounds of equal measures differ: units that the fit prefers (0 where nothing is said).
PREFERENCES: dict[str, dict[str, float]] = {
    "P": {"mouthPress": 0.25, "mouthRollLower": 0.1, "mouthRollUpper": 0.1},
    "B": {"mouthPress": 0.2}, "M": {"mouthPress": 0.2},
    "F": {"mouthRollLower": 0.5, "mouthUpperUp": 0.25}, "V": {"mouthRollLower": 0.4, "mouthUpperUp": 0.2},
    "SH": {"mouthFunnel": 0.45}, "ZH": {"mouthFunnel": 0.4}, "CH": {"mouthFunnel": 0.45}, "JH": {"mouthFunnel": 0.4},
    "R": {"mouthFunnel": 0.2, "mouthPucker": 0.2}, "W": {"mouthPucker": 0.6}, "UW": {"mouthPucker": 0.5},
    "OW": {"mouthPucker": 0.3, "mouthFunnel": 0.2}, "AO": {"mouthFunnel": 0.35}, "UH": {"mouthPucker": 0.2},
    "IY": {"mouthStretch": 0.3}, "EH": {"mouthLowerDown": 0.2}, "AE": {"mouthLowerDown": 0.25},
    "S": {"mouthStretch": 0.15, "mouthLowerDown": 0.25}, "Z": {"mouthStretch": 0.15, "mouthLowerDown": 0.25},
}  # fmt: skip

# The middle gaps, of which the aperture is the mean (as in `emotag.tracking.lip_measures`).
_MIDDLE = slice(2, 7)
# Gap of the landmarks of closed lips, in outer-eye distances: they lie on the lips' edges, not where these touch.
CLOSED_GAP = 0.012
# Weights of the rows, over outer-eye distances: aperture, each gap's part in it, width, protrusion, jaw.
_APERTURE, _GAP, _WIDTH, _PROTRUSION, _JAW = 120.0, 12.0, 60.0, 30.0, 60.0
# What it costs to leave the preferred strength; rolling and shrugging lips are for sounds that want them.
_COMFORT = np.array([0.4, 0.7, 0.8, 0.6, 0.7, 1.0, 0.7, 1.0, 1.2, 3.0, 3.0, 1.5, 1.5])
_SWEEPS = 60


@dataclass(frozen=True)
class MouthModel:
    """Measures of one person's mouth, linear in the motion channels (expression, then jaw): `gaps` [9] at rest,
    `gap_basis` [9, C], and width, protrusion and jaw at rest [3] with `basis` [3, C]; `controls` [K, C]; the jaw's
    upper limit in rad. Lengths over the outer-eye distance."""

    gaps: np.ndarray
    gap_basis: np.ndarray
    rest: np.ndarray
    basis: np.ndarray
    controls: np.ndarray
    jaw_limit: float

    def measures(self, motion: np.ndarray) -> np.ndarray:
        """[T, C] to aperture, width, protrusion and jaw [T, 4]."""
        gaps = self.gaps + motion @ self.gap_basis.T
        return np.concatenate([gaps[:, _MIDDLE].mean(1, keepdims=True), self.rest + motion @ self.basis.T], 1)

    def solve(self, targets: np.ndarray, fixed: np.ndarray, preferred: np.ndarray) -> np.ndarray:
        """Motion [T, C] of the mouth alone whose measures, on top of `fixed` [T, C], come nearest to `targets` [T, 4].

        `preferred` [T, K] controls (0 to 1) break ties. Every control stays in [0, 1] (times the limit for the jaw).
        """
        matrix, right = self._rows(targets, fixed)
        normal = matrix.T @ matrix + np.diag(_COMFORT**2)
        constant = right @ matrix + _COMFORT**2 * preferred
        strength = preferred.copy()
        for _ in range(_SWEEPS):
            for k in range(len(CONTROLS)):
                others = strength @ normal[k] - strength[:, k] * normal[k, k]
                strength[:, k] = np.clip((constant[:, k] - others) / normal[k, k], 0.0, 1.0)
        return strength @ self.controls

    def _rows(self, targets: np.ndarray, fixed: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weighted matrix [R, K] and right-hand sides [T, R]."""
        opening = self.gap_basis @ self.controls[0]
        profile = opening / opening[_MIDDLE].mean()
        wanted_gaps = CLOSED_GAP + (targets[:, :1] - CLOSED_GAP) * profile
        gap_part = wanted_gaps - self.gaps - fixed @ self.gap_basis.T
        rest_part = targets[:, 1:] - self.rest - fixed @ self.basis.T
        gap_matrix, rest_matrix = self.gap_basis @ self.controls.T, self.basis @ self.controls.T
        weights = np.array([_WIDTH, _PROTRUSION, _JAW])
        middle = np.full(_MIDDLE.stop - _MIDDLE.start, 1.0) / (_MIDDLE.stop - _MIDDLE.start)
        matrix = np.concatenate(
            [
                _APERTURE * (middle @ gap_matrix[_MIDDLE])[None],
                _GAP * gap_matrix,
                weights[:, None] * rest_matrix,
            ]
        )
        right = np.concatenate(
            [_APERTURE * (gap_part[:, _MIDDLE] @ middle)[:, None], _GAP * gap_part, weights * rest_part], 1
        )
        return matrix, right


def mouth_model(head: ArkitHead, shape: np.ndarray) -> MouthModel:
    """The mouth of the person with identity coefficients `shape` [S]."""
    small = head.for_landmarks()
    channels = [*head.expression_names, "jaw_x", "jaw_y", "jaw_z"]
    count = len(channels)
    motion = torch.cat([torch.zeros(1, count), torch.eye(count)])
    rows, expressions = len(motion), len(head.expression_names)
    nothing = torch.zeros(rows, 3)
    vertices = small.vertices(
        torch.as_tensor(shape, dtype=torch.float32)[None],
        motion[:, :expressions], motion[:, expressions:], nothing, torch.zeros(rows, 6), nothing, nothing,
    )  # fmt: skip
    points = small.landmarks(vertices).double().numpy()
    points /= np.linalg.norm(points[0, OUTER_EYE_CORNERS[0]] - points[0, OUTER_EYE_CORNERS[1]])
    upper, lower = np.array(INNER_LIP_PAIRS).T
    gaps = points[:, upper, 1] - points[:, lower, 1]
    rest = np.stack([_width(points), _protrusion(points), _jaw(points)], 1)
    controls = np.array([[float(name in group) for name in channels] for group in CONTROLS])
    controls[0] *= head.jaw_limits[0]
    return MouthModel(
        gaps[0], (gaps[1:] - gaps[0]).T, rest[0], (rest[1:] - rest[0]).T, controls, float(head.jaw_limits[0])
    )


def preferences(phones: Phones, times_s: np.ndarray) -> np.ndarray:
    """Preferred controls [T, K] at `times_s`, blended as the visemes are."""
    table = np.array([[PREFERENCES.get(symbol, {}).get(name, 0.0) for name in NAMES] for _, _, symbol in phones])
    return dominance(phones, times_s) @ table


def _width(points: np.ndarray) -> np.ndarray:
    return points[:, 291, 0] - points[:, 61, 0]


def _protrusion(points: np.ndarray) -> np.ndarray:
    """How far the corners stand before the lips' mean: z points forwards here."""
    lips = [point for point in OUTER_LIPS + INNER_LIPS if point not in (61, 291, 78, 308)]
    return points[:, [61, 291], 2].mean(1) - points[:, lips, 2].mean(1)


def _jaw(points: np.ndarray) -> np.ndarray:
    """Distance from the bridge to the chin, along its direction at rest (linear)."""
    away = points[:, 168] - points[:, 152]
    return away @ (away[0] / np.linalg.norm(away[0]))
