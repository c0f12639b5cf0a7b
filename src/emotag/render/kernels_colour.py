"""Spherical harmonics with their analytic gradient (numba; the formulas of `sh`)."""

import math

import numpy as np
from numba import njit

from emotag.render.sh import C0, C1, C2, C3

C20, C21, C22, C23, C24 = C2
C30, C31, C32, C33, C34, C35, C36 = C3


@njit(cache=True, nogil=True)
def basis(count, x, y, z, out):
    """The first `count` basis functions at the unit vector (x, y, z), into out[0:count]."""
    out[0] = C0
    if count > 1:
        out[1], out[2], out[3] = -C1 * y, C1 * z, -C1 * x
    if count > 4:
        xx, yy, zz = x * x, y * y, z * z
        out[4], out[5], out[6] = C20 * x * y, C21 * y * z, C22 * (2 * zz - xx - yy)
        out[7], out[8] = C23 * x * z, C24 * (xx - yy)
        if count > 9:
            out[9], out[10] = C30 * y * (3 * xx - yy), C31 * x * y * z
            out[11], out[12] = C32 * y * (4 * zz - xx - yy), C33 * z * (2 * zz - 3 * xx - 3 * yy)
            out[13], out[14] = C34 * x * (4 * zz - xx - yy), C35 * z * (xx - yy)
            out[15] = C36 * x * (xx - 3 * yy)


@njit(cache=True, nogil=True)
def direction_gradient(count, x, y, z, g):
    """Sum over k of g[k] times the gradient of basis function k by (x, y, z)."""
    gx, gy, gz = -C1 * g[3], -C1 * g[1], C1 * g[2]
    if count > 4:
        gx += C20 * y * g[4] - 2 * C22 * x * g[6] + C23 * z * g[7] + 2 * C24 * x * g[8]
        gy += C20 * x * g[4] + C21 * z * g[5] - 2 * C22 * y * g[6] - 2 * C24 * y * g[8]
        gz += C21 * y * g[5] + 4 * C22 * z * g[6] + C23 * x * g[7]
    if count > 9:
        xx, yy, zz = x * x, y * y, z * z
        gx += (
            6 * C30 * x * y * g[9] + C31 * y * z * g[10] - 2 * C32 * x * y * g[11] - 6 * C33 * x * z * g[12]
            + C34 * (4 * zz - 3 * xx - yy) * g[13] + 2 * C35 * x * z * g[14] + 3 * C36 * (xx - yy) * g[15]
        )  # fmt: skip
        gy += (
            3 * C30 * (xx - yy) * g[9] + C31 * x * z * g[10] + C32 * (4 * zz - xx - 3 * yy) * g[11]
            - 6 * C33 * y * z * g[12] - 2 * C34 * x * y * g[13] - 2 * C35 * y * z * g[14] - 6 * C36 * x * y * g[15]
        )  # fmt: skip
        gz += (
            C31 * x * y * g[10] + 8 * C32 * y * z * g[11] + C33 * (6 * zz - 3 * xx - 3 * yy) * g[12]
            + 8 * C34 * x * z * g[13] + C35 * (xx - yy) * g[14]
        )  # fmt: skip
    return gx, gy, gz


@njit(cache=True, nogil=True)
def direction(means, i, turn, frame):
    """Unit vector from the camera to Gaussian i in the frame of the harmonics, and the distance."""
    x, y, z = float(means[i, 0]), float(means[i, 1]), float(means[i, 2])
    distance = max(math.sqrt(x * x + y * y + z * z), 1e-12)
    x, y, z = x / distance, y / distance, z / distance
    return (
        x * turn[frame, 0, 0] + y * turn[frame, 1, 0] + z * turn[frame, 2, 0],
        x * turn[frame, 0, 1] + y * turn[frame, 1, 1] + z * turn[frame, 2, 1],
        x * turn[frame, 0, 2] + y * turn[frame, 1, 2] + z * turn[frame, 2, 2],
        distance,
    )


@njit(cache=True, nogil=True)
def colour_range(start, stop, count, means, sh, turn, channels):
    """Colours of Gaussians [start, stop) of the flattened batch into channels[:, 0:3].

    Arrays:
        count: N, Gaussians a frame. means: [B * N, 3].
        sh: [1 or B, N, K, 3]. turn: [B, 3, 3] from the harmonics' frame to the camera's. channels: out [B * N, C].
    """
    coefficients = sh.shape[2]
    weights = np.empty(16)
    for i in range(start, stop):
        frame, n = i // count, i % count
        source = frame if sh.shape[0] > 1 else 0
        x, y, z, _ = direction(means, i, turn, frame)
        basis(coefficients, x, y, z, weights)
        for channel in range(3):
            value = 0.5
            for k in range(coefficients):
                value += weights[k] * sh[source, n, k, channel]
            channels[i, channel] = max(value, 0.0)


@njit(cache=True, nogil=True)
def colour_gradient_range(start, stop, means, sh, turn, channels, grad_channels, grad_sh, grad_means):
    """Gradients of Gaussians [start, stop) of one frame's N, summed over the frames where `sh` is shared.

    `grad_sh` [1 or B, N, K, 3] and `grad_means` [B * N, 3] are written.
    """
    count, coefficients = sh.shape[1], sh.shape[2]
    weights, by_weight = np.empty(16), np.zeros(16)
    for n in range(start, stop):
        for frame in range(means.shape[0] // count):
            i = frame * count + n
            source = frame if sh.shape[0] > 1 else 0
            x, y, z, distance = direction(means, i, turn, frame)
            basis(coefficients, x, y, z, weights)
            if frame == 0 or sh.shape[0] > 1:
                grad_sh[source, n] = 0
            for k in range(coefficients):
                by_weight[k] = 0
            for channel in range(3):
                if channels[i, channel] > 0:
                    g = grad_channels[i, channel]
                    for k in range(coefficients):
                        by_weight[k] += g * sh[source, n, k, channel]
                        grad_sh[source, n, k, channel] += np.float32(g * weights[k])
            if coefficients == 1:
                grad_means[i, 0], grad_means[i, 1], grad_means[i, 2] = 0, 0, 0
                continue
            gx, gy, gz = direction_gradient(coefficients, x, y, z, by_weight)
            along = gx * x + gy * y + gz * z
            gx, gy, gz = (gx - along * x) / distance, (gy - along * y) / distance, (gz - along * z) / distance
            for axis in range(3):
                grad_means[i, axis] = turn[frame, axis, 0] * gx + turn[frame, axis, 1] * gy + turn[frame, axis, 2] * gz
