"""Gradients of the blending, front to back again (numba).

With q_i = grad . value_i and S = sum over j > i of w_j q_j, dL/dalpha_i = T_i q_i - S / (1 - alpha_i). S starts as
grad . image and loses each Gaussian's share in passing, so no transmittance is divided out and no list is kept.
Centre, conic and opacity get theirs from six moments of alpha dL/dalpha, summed over a tile: one record a
(Gaussian, tile), gathered in a fixed order, so the bits do not depend on the number of threads.
"""

import numpy as np
from numba import njit

from emotag.render.kernels_blend import MOMENTS, TILE, unblend_block
from emotag.render.kernels_forward import LOOK_EVERY, ONE, ZERO, begin_tile, open_blocks
from emotag.render.kernels_lanes import lane_sum, trailing_zeros

HALF = np.float32(0.5)


@njit(cache=True, nogil=True)
def unblend_tile(
    state, lanes, left, top, begin, end, pair_list, gaussian_list, pair_masks, ellipses, channels, size,
    records,
):  # fmt: skip
    """Walk the list entries [begin, end) of the tile at (left, top) px and write their records."""
    active = open_blocks(state)
    for entry in range(begin, end):
        if (entry - begin) % LOOK_EVERY == 0:
            active = open_blocks(state)
            if active == 0:
                for hidden in range(entry, end):
                    records[pair_list[hidden]] = 0
                break
        gaussian = gaussian_list[entry]
        pair = pair_list[entry]
        mask = np.int32(pair_masks[pair] & active)
        if mask == 0:
            records[pair] = 0
            continue
        x = np.float32(left + np.float32(0.5)) - ellipses[gaussian, 0]
        y = np.float32(top + np.float32(0.5)) - ellipses[gaussian, 1]
        e2, e3, e4, e5 = ellipses[gaussian, 2], ellipses[gaussian, 3], ellipses[gaussian, 4], ellipses[gaussian, 5]
        lanes[:] = 0
        while mask:
            block = trailing_zeros(mask)
            mask &= mask - np.int32(1)
            unblend_block(
                state, 16 * block, x + np.float32(4 * (block & 3)), y + np.float32(4 * (block >> 2)),
                e2, e3, e4, e5, channels, gaussian * size, size, lanes,
            )  # fmt: skip
        for k in range(MOMENTS + size):
            records[pair, k] = lane_sum(lanes, 16 * k)


@njit(cache=True, nogil=True)
def begin_gradients(state, frame, left, top, size, background, images, gradients):
    """Per pixel: S = grad . image, the gradient by alpha and by the channels' plain sums, into the tile's state."""
    colour, alpha, depth, extras = images
    by_colour, by_alpha, by_depth, by_extras = gradients
    height, width = alpha.shape[1], alpha.shape[2]
    begin_tile(state, left, top, width, height)
    for y in range(top, min(top + 16, height)):
        for x in range(left, min(left + 16, width)):
            at = 64 * ((y - top) >> 2) + 16 * ((x - left) >> 2) + 4 * (y & 3) + (x & 3)
            b, v, u = (
                min(frame, background.shape[0] - 1),
                min(y, background.shape[1] - 1),
                min(x, background.shape[2] - 1),
            )
            covered = alpha[frame, y, x]
            total, by_cover = ZERO, by_alpha[frame, y, x]
            for c in range(3):
                grad = by_colour[frame, y, x, c]
                state[at + TILE * (c + 3)] = grad
                total += grad * (colour[frame, y, x, c] - (ONE - covered) * background[b, v, u, c])
                by_cover -= grad * background[b, v, u, c]
            if covered > ZERO:
                # Expected depth is a quotient: its gradient by the sum, and by the coverage it is divided by.
                grad = by_depth[frame, y, x] / covered
                state[at + TILE * 6] = grad
                total += grad * depth[frame, y, x] * covered
                by_cover -= grad * depth[frame, y, x]
            for c in range(4, size):
                grad = by_extras[frame, y, x, c - 4]
                state[at + TILE * (c + 3)] = grad
                total += grad * extras[frame, y, x, c - 4]
            state[at + TILE] = total + by_cover * covered
            state[at + TILE * 2] = by_cover


@njit(cache=True, nogil=True)
def backward_range(
    start, stop, columns, rows, tile_starts, pair_list, gaussian_list, pair_masks, ellipses, channels, size,
    background, images, gradients, records,
):  # fmt: skip
    """Write the gradient records of tiles [start, stop). `images` and `gradients`: colour, alpha, depth, extras."""
    state = np.empty(TILE * (size + 3), np.float32)
    lanes = np.empty(16 * (MOMENTS + size), np.float32)
    for tile in range(start, stop):
        if tile_starts[tile] == tile_starts[tile + 1]:
            continue
        frame, place = tile // (columns * rows), tile % (columns * rows)
        left, top = 16 * (place % columns), 16 * (place // columns)
        begin_gradients(state, frame, left, top, size, background, images, gradients)
        unblend_tile(
            state, lanes, left, top, tile_starts[tile], tile_starts[tile + 1], pair_list, gaussian_list,
            pair_masks, ellipses, channels, size, records,
        )  # fmt: skip


@njit(cache=True, nogil=True)
def gather_range(
    start, stop, offsets, counts, records, conics, opacities, size, grad_means2d, grad_conics, grad_opacities,
    grad_depths, grad_channels,
):  # fmt: skip
    """Sum the records of Gaussians [start, stop) and turn the moments into gradients (all written).

    Moments of v = alpha dL/dalpha: 1, dx, dy, dx², dx dy, dy², with (dx, dy) from the centre to the pixel.
    """
    total = np.empty(MOMENTS + size, np.float32)
    for i in range(start, stop):
        total[:] = 0
        for record in range(offsets[i], offsets[i] + counts[i]):
            for k in range(MOMENTS + size):
                total[k] += records[record, k]
        a, b, c = conics[i, 0], conics[i, 1], conics[i, 2]
        grad_means2d[i, 0] = a * total[1] + b * total[2]
        grad_means2d[i, 1] = b * total[1] + c * total[2]
        grad_conics[i, 0], grad_conics[i, 1], grad_conics[i, 2] = -HALF * total[3], -total[4], -HALF * total[5]
        grad_opacities[i] = total[0] / opacities[i] if counts[i] > 0 else ZERO
        grad_depths[i] = total[MOMENTS + 3]
        for k in range(size):
            grad_channels[i, k] = total[MOMENTS + k]
