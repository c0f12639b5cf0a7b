"""Front-to-back alpha blending of one tile after the other (numba).

A tile's state is one flat float32 buffer: 256 transmittances, then 256 sums a channel, ordered block by block so that a
4 x 4 block is 16 neighbours. A transmittance is negative once its pixel is done (gsplat's rule: the Gaussian that would
take it to 1e-4 or below is left out, with all behind it).
"""

import numpy as np
from numba import njit

from emotag.render.kernels_blend import TILE, blend_block
from emotag.render.kernels_lanes import any_positive, trailing_zeros

ONE, ZERO = np.float32(1), np.float32(0)
# How many Gaussians are drawn between two looks at which blocks are done.
LOOK_EVERY = 16


@njit(cache=True, nogil=True)
def open_blocks(state):
    """Bits of the blocks in which a pixel is not done."""
    mask = np.int32(0)
    for block in range(16):
        if any_positive(state, 16 * block):
            mask |= np.int32(1) << np.int32(block)
    return mask


@njit(cache=True, nogil=True)
def begin_tile(state, left, top, width, height):
    """Transmittance 1 inside the image, done outside, all sums zero."""
    state[:] = 0
    for block in range(16):
        for lane in range(16):
            inside = left + 4 * (block & 3) + (lane & 3) < width and top + 4 * (block >> 2) + (lane >> 2) < height
            state[16 * block + lane] = ONE if inside else -ONE


@njit(cache=True, nogil=True)
def blend_tile(state, left, top, begin, end, pair_list, gaussian_list, pair_masks, ellipses, channels, size):
    """Blend the list entries [begin, end) into the tile at (left, top) px."""
    active = open_blocks(state)
    for entry in range(begin, end):
        if (entry - begin) % LOOK_EVERY == 0:
            active = open_blocks(state)
            if active == 0:
                break
        gaussian = gaussian_list[entry]
        mask = np.int32(pair_masks[pair_list[entry]] & active)
        x = np.float32(left + np.float32(0.5)) - ellipses[gaussian, 0]
        y = np.float32(top + np.float32(0.5)) - ellipses[gaussian, 1]
        e2, e3, e4, e5 = ellipses[gaussian, 2], ellipses[gaussian, 3], ellipses[gaussian, 4], ellipses[gaussian, 5]
        while mask:
            block = trailing_zeros(mask)
            mask &= mask - np.int32(1)
            blend_block(
                state, 16 * block, x + np.float32(4 * (block & 3)), y + np.float32(4 * (block >> 2)),
                e2, e3, e4, e5, channels, gaussian * size, size,
            )  # fmt: skip


@njit(cache=True, nogil=True)
def forward_range(
    start, stop, columns, rows, tile_starts, pair_list, gaussian_list, pair_masks, ellipses, channels, size,
    background, middle, colour, alpha, depth, from_camera, extras,
):  # fmt: skip
    """Draw tiles [start, stop) of the flattened batch.

    Arrays:
        channels: [B * N * size] float32: red, green, blue, depth, extras.
        background: [1 or B, 1 or H, 1 or W, 3].
        middle: [B] m, what `depth` counts from.
        colour, alpha, depth, from_camera, extras: out [B, H, W, 3], [B, H, W] three times, [B, H, W, size - 4].
    """
    height, width = alpha.shape[1], alpha.shape[2]
    state = np.empty(TILE * (size + 1), np.float32)
    for tile in range(start, stop):
        frame, place = tile // (columns * rows), tile % (columns * rows)
        left, top = 16 * (place % columns), 16 * (place // columns)
        begin_tile(state, left, top, width, height)
        blend_tile(
            state, left, top, tile_starts[tile], tile_starts[tile + 1], pair_list, gaussian_list, pair_masks,
            ellipses, channels, size,
        )  # fmt: skip
        for y in range(top, min(top + 16, height)):
            for x in range(left, min(left + 16, width)):
                at = 64 * ((y - top) >> 2) + 16 * ((x - left) >> 2) + 4 * (y & 3) + (x & 3)
                clear = abs(state[at])
                b, v, u = (
                    min(frame, background.shape[0] - 1),
                    min(y, background.shape[1] - 1),
                    min(x, background.shape[2] - 1),
                )
                for c in range(3):
                    colour[frame, y, x, c] = state[at + TILE * (c + 1)] + clear * background[b, v, u, c]
                alpha[frame, y, x] = ONE - clear
                covered = ONE - clear
                depth[frame, y, x] = state[at + TILE * 4] / covered if covered > ZERO else ZERO
                from_camera[frame, y, x] = depth[frame, y, x] + middle[frame] if covered > ZERO else ZERO
                for c in range(4, size):
                    extras[frame, y, x, c - 4] = state[at + TILE * (c + 1)]
