"""Hinges and block means with their gradients, in one pass over the numbers each (numba)."""

import math

import numpy as np
from numba import njit


@njit(cache=True, nogil=True, error_model="numpy")
def hinge(values, counted, threshold, gradient):
    """Mean over the rows of `values` [N, D] that are `counted` [N] of the norm of what exceeds `threshold` on either side.

    `gradient` [N, D] is written, zero where a norm is.
    """
    total, rows = 0.0, 0
    for i in range(values.shape[0]):
        square = 0.0
        for k in range(values.shape[1]):
            excess = max(abs(values[i, k]) - threshold, 0.0)
            square += excess * excess
        rows += counted[i]
        norm = math.sqrt(square) if counted[i] else 0.0
        total += norm
        share = 1 / norm if norm > 0 else 0.0
        for k in range(values.shape[1]):
            excess = max(abs(values[i, k]) - threshold, 0.0)
            gradient[i, k] = math.copysign(excess, values[i, k]) * share
    gradient *= np.float32(1 / max(rows, 1))
    return total / max(rows, 1)


@njit(cache=True, nogil=True, error_model="numpy")
def block_means(image, out):
    """Means over equal blocks of `image` [B, H, W, D]: `out` [B, h, w, D], whose sizes divide the image's."""
    tall, wide = image.shape[1] // out.shape[1], image.shape[2] // out.shape[2]
    share = np.float32(1 / (tall * wide))
    out[:] = 0
    for b in range(image.shape[0]):
        for y in range(image.shape[1]):
            for column in range(out.shape[2]):
                for x in range(column * wide, (column + 1) * wide):
                    for k in range(image.shape[3]):
                        out[b, y // tall, column, k] += image[b, y, x, k]
    out *= share


@njit(cache=True, nogil=True, error_model="numpy")
def spread_means(gradient, out):
    """The gradient of `block_means` by its image: `out` [B, H, W, D] is written."""
    tall, wide = out.shape[1] // gradient.shape[1], out.shape[2] // gradient.shape[2]
    share = np.float32(1 / (tall * wide))
    for b in range(out.shape[0]):
        for y in range(out.shape[1]):
            for column in range(gradient.shape[2]):
                for x in range(column * wide, (column + 1) * wide):
                    for k in range(out.shape[3]):
                        out[b, y, x, k] = gradient[b, y // tall, column, k] * share
