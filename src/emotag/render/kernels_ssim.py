"""Structural similarity with its gradient, row by row (numba).

Images are interleaved [H, W, 3], so a row is W * 3 neighbours and a horizontal tap moves by 3: both directions of the
separable window run over unit stride. Windows are cut off at the border with zeros (as the 3DGS loss pads).
"""

import numpy as np
from numba import njit

RADIUS = 5
_taps = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / 1.5) ** 2)
G0, G1, G2, G3, G4, G5 = (np.float32(tap) for tap in (_taps / _taps.sum())[RADIUS:])
C1 = np.float32(0.01**2)
C2 = np.float32(0.03**2)
ONE, TWO, ZERO = np.float32(1), np.float32(2), np.float32(0)
# Zeros on either side of a row buffer, for taps that reach past the image.
PAD = 3 * RADIUS


@njit(cache=True, nogil=True)
def tap(distance):
    """Weight of the window at a distance of 0 to 5 px."""
    if distance == 0:
        return G0
    if distance == 1:
        return G1
    if distance == 2:
        return G2
    if distance == 3:
        return G3
    return G4 if distance == 4 else G5


@njit(cache=True, nogil=True, fastmath=True)
def blur_row(row, out, width):
    """Horizontal window over a padded row [PAD + width + PAD], into out [width]."""
    for i in range(width):
        out[i] = (
            G0 * row[i + 15]
            + G1 * (row[i + 12] + row[i + 18])
            + G2 * (row[i + 9] + row[i + 21])
            + G3 * (row[i + 6] + row[i + 24])
            + G4 * (row[i + 3] + row[i + 27])
            + G5 * (row[i] + row[i + 30])
        )


@njit(cache=True, nogil=True, fastmath=True)
def add_products(x, y, weight, sx, sy, sxx, syy, sxy):
    """Add a row's values and products, weighted, to the five padded sums."""
    for i in range(x.size):
        a, b = x[i], y[i]
        wa, wb = weight * a, weight * b
        sx[PAD + i] += wa
        sy[PAD + i] += wb
        sxx[PAD + i] += wa * a
        syy[PAD + i] += wb * b
        sxy[PAD + i] += wa * b


@njit(cache=True, nogil=True, fastmath=True)
def similarity_row(mx, my, xx, yy, xy, weight, value, by_mean, by_square, by_product):
    """SSIM of each entry from the five blurred rows, and its derivatives by E[x], E[x²] and E[xy], times `weight`."""
    for i in range(value.size):
        a, b = mx[i], my[i]
        aa, bb, ab = a * a, b * b, a * b
        numerator1, numerator2 = TWO * ab + C1, TWO * (xy[i] - ab) + C2
        inverse1, inverse2 = ONE / (aa + bb + C1), ONE / ((xx[i] - aa) + (yy[i] - bb) + C2)
        quotient1, quotient2 = numerator1 * inverse1, numerator2 * inverse2
        similarity = quotient1 * quotient2
        value[i] = similarity
        w = weight[i]
        square = -w * similarity * inverse2
        product = w * TWO * quotient1 * inverse2
        # E[x] enters through the means and, negatively, through variance and covariance.
        mean = w * TWO * quotient2 * inverse1 * (b - quotient1 * a)
        by_square[i], by_product[i] = square, product
        by_mean[i] = mean - TWO * a * square - b * product


@njit(cache=True, nogil=True)
def statistics_range(start, stop, height, image, target, weight, sums, by_mean, by_square, by_product):
    """SSIM and L1 of rows [start, stop) of the flattened batch [B * H, W * 3].

    `weight` is [B * H, W * 3]; `sums` [B * H, 2] float64 gets each row's weighted sums of L1 and SSIM.
    """
    width = image.shape[1]
    padded = np.zeros((5, width + 2 * PAD), np.float32)
    blurred = np.empty((5, width), np.float32)
    value = np.empty(width, np.float32)
    for line in range(start, stop):
        y = line % height
        padded[:] = 0
        for shift in range(max(-RADIUS, -y), min(RADIUS, height - 1 - y) + 1):
            add_products(
                image[line + shift], target[line + shift], tap(abs(shift)),
                padded[0], padded[1], padded[2], padded[3], padded[4],
            )  # fmt: skip
        for k in range(5):
            blur_row(padded[k], blurred[k], width)
        similarity_row(
            blurred[0], blurred[1], blurred[2], blurred[3], blurred[4], weight[line], value,
            by_mean[line], by_square[line], by_product[line],
        )  # fmt: skip
        l1, ssim = 0.0, 0.0
        for i in range(width):
            w = weight[line, i]
            l1 += w * abs(image[line, i] - target[line, i])
            ssim += w * value[i]
        sums[line, 0], sums[line, 1] = l1, ssim


@njit(cache=True, nogil=True, fastmath=True)
def add_three(a, b, c, weight, sa, sb, sc):
    """Add three rows, weighted, to padded sums."""
    for i in range(a.size):
        sa[PAD + i] += weight * a[i]
        sb[PAD + i] += weight * b[i]
        sc[PAD + i] += weight * c[i]


@njit(cache=True, nogil=True, fastmath=True)
def combine_row(x, y, weight, mean, square, product, by_l1, by_ssim, out):
    """The gradient of by_l1 * L1 + by_ssim * SSIM from the blurred derivative rows."""
    for i in range(x.size):
        difference = x[i] - y[i]
        sign = ONE if difference > ZERO else (-ONE if difference < ZERO else ZERO)
        out[i] = by_l1 * weight[i] * sign + by_ssim * (mean[i] + TWO * x[i] * square[i] + y[i] * product[i])


@njit(cache=True, nogil=True)
def gradient_range(start, stop, height, image, target, weight, by_mean, by_square, by_product, by_l1, by_ssim, out):
    """Gradient by the image of rows [start, stop) of the flattened batch, given those by L1 and SSIM (float32)."""
    width = image.shape[1]
    padded = np.zeros((3, width + 2 * PAD), np.float32)
    blurred = np.empty((3, width), np.float32)
    for line in range(start, stop):
        y = line % height
        padded[:] = 0
        for shift in range(max(-RADIUS, -y), min(RADIUS, height - 1 - y) + 1):
            add_three(
                by_mean[line + shift], by_square[line + shift], by_product[line + shift], tap(abs(shift)),
                padded[0], padded[1], padded[2],
            )  # fmt: skip
        for k in range(3):
            blur_row(padded[k], blurred[k], width)
        combine_row(
            image[line], target[line], weight[line], blurred[0], blurred[1], blurred[2], by_l1, by_ssim, out[line]
        )
