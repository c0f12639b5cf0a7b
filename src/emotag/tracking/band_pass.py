"""Pictures in which light that changes slowly over the face is gone, and values and slopes of them at given points.

The difference of two Gaussian blurs of the luma keeps what can be aligned (brows, lids, nostrils, folds, moles) and drops
camera noise and shading. Source: the Laplacian pyramid (Burt & Adelson 1983), one level of it.
"""

import cv2
import numpy as np
from numba import njit

FINE, COARSE = 0.003, 0.05  # standard deviations of the blurs over the picture's width
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LEVELS = 2.0**14  # of int16 for one unit of luma


def band_pass(picture: np.ndarray, size: int) -> np.ndarray:
    """RGB [H, W, 3] uint8 to the band [size, size] int16, `LEVELS` for the step from black to white."""
    luma = cv2.resize((picture @ LUMA) / 255, (size, size), interpolation=cv2.INTER_AREA)
    fine, coarse = (cv2.GaussianBlur(luma, (0, 0), share * size) for share in (FINE, COARSE))
    return np.rint((fine - coarse) * LEVELS).astype(np.int16)


@njit(cache=True, nogil=True)
def sample(pictures, points, values, slopes):
    """Bilinear values [T, N] and their exact slopes [T, N, 2] a px of `pictures` [T, H, W] at `points` [T, N, 2] px, in
    units of luma; outside the picture the border is repeated and the slope is zero.
    """
    frames, height, width = pictures.shape
    for t in range(frames):
        for n in range(points.shape[1]):
            x, y = points[t, n, 0] - 0.5, points[t, n, 1] - 0.5
            inside = 0 <= x < width - 1 and 0 <= y < height - 1
            x, y = min(max(x, 0.0), width - 1.001), min(max(y, 0.0), height - 1.001)
            left, top = int(x), int(y)
            u, v = x - left, y - top
            a, b = pictures[t, top, left] / LEVELS, pictures[t, top, left + 1] / LEVELS
            c, d = pictures[t, top + 1, left] / LEVELS, pictures[t, top + 1, left + 1] / LEVELS
            values[t, n] = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * c + u * d)
            slopes[t, n, 0] = ((1 - v) * (b - a) + v * (d - c)) * inside
            slopes[t, n, 1] = ((1 - u) * (c - a) + u * (d - b)) * inside
