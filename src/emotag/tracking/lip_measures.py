"""Four measures of the mouth from the face mesh: aperture, width, protrusion and jaw, in outer-eye distances.

Each frame is aligned by a similarity in 3D on points that do not move with speech to the clip's mean shape, turned to
the front, and divided by the mean shape's distance of the outer eye corners.
"""

import numpy as np

from emotag.head.landmark_sets import FACE_OVAL, INNER_LIP_PAIRS, INNER_LIPS, OUTER_EYE_CORNERS, OUTER_LIPS

MEASURES = ("aperture", "width", "protrusion", "jaw")

# Forehead, temples, eye corners and the bridge of the nose.
STABLE = (
    10, 109, 67, 103, 54, 21, 162, 127, 338, 297, 332, 284, 251, 389, 356,
    151, 9, 8, 108, 337, 69, 299, 104, 333, 68, 298, 71, 301,
    33, 133, 362, 263, 168, 6, 197, 195, 193, 417, 122, 351,
)  # fmt: skip
_CORNERS = (61, 291)
_CHIN, _BRIDGE, _FOREHEAD = 152, 168, FACE_OVAL[0]


def lip_measures(points: np.ndarray) -> np.ndarray:
    """[T, 4] measures in outer-eye distances from mesh `points` [T, 478, 3] px (x right, y down, z away).

    Aperture is the mean of the five middle gaps of the inner lips, width the distance between the corners, protrusion
    how far the corners stand before the lips' mean (rounding draws them forward), jaw the height of the chin under the
    bridge of the nose.
    """
    aligned = align(points)
    upper, lower = np.array(INNER_LIP_PAIRS[2:7]).T
    aperture = np.linalg.norm(aligned[:, lower] - aligned[:, upper], axis=-1).mean(1)
    right, left = (aligned[:, corner] for corner in _CORNERS)
    width = np.linalg.norm(left - right, axis=-1)
    lips = [point for point in OUTER_LIPS + INNER_LIPS if point not in (*_CORNERS, 78, 308)]
    protrusion = aligned[:, lips, 2].mean(1) - (right + left)[:, 2] / 2
    jaw = np.linalg.norm(aligned[:, _CHIN] - aligned[:, _BRIDGE], axis=-1)
    return np.stack([aperture, width, protrusion, jaw], 1)


def align(points: np.ndarray, rounds: int = 3) -> np.ndarray:
    """[T, 478, 3] `points` aligned on the stable ones to the clip's mean shape, frontal, outer-eye distance 1."""
    points = np.asarray(points, np.float64)
    reference = points[0]
    for _ in range(rounds):
        aligned = _similarity(points, reference)
        reference = _frontal(aligned.mean(0))
    return _similarity(points, reference)


def _similarity(points: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Each frame under the similarity that takes its stable points nearest to the reference's (Umeyama 1991)."""
    stable = list(STABLE)
    source = points[:, stable] - points[:, stable].mean(1, keepdims=True)
    centre = reference[stable].mean(0)
    u, s, vt = np.linalg.svd(np.einsum("tni,nj->tij", source, reference[stable] - centre))
    sign = np.sign(np.linalg.det(u @ vt))
    u[..., -1] *= sign[:, None]
    s[..., -1] *= sign
    scale = s.sum(-1) / (source**2).sum((1, 2))
    moved = points - points[:, stable].mean(1, keepdims=True)
    return scale[:, None, None] * (moved @ (u @ vt)) + centre


def _frontal(shape: np.ndarray) -> np.ndarray:
    """[478, 3] turned so that the eyes lie along x and the face's height in the x = 0, z = 0 plane; eye distance 1."""
    right, left = (shape[corner] for corner in OUTER_EYE_CORNERS)
    x = (left - right) / np.linalg.norm(left - right)
    down = shape[_CHIN] - shape[_FOREHEAD]
    y = down - (down @ x) * x
    y /= np.linalg.norm(y)
    return (shape - (left + right) / 2) @ np.stack([x, y, np.cross(x, y)], 1) / np.linalg.norm(left - right)
