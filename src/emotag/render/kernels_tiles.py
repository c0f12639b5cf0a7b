"""Which Gaussians touch which 16 x 16 tile, in depth order, and which of its sixteen 4 x 4 blocks (numba).

Depths are sorted once a frame; filling the tiles' lists in that order sorts every list. Slices of that order are counted
first, so that each knows where in every list its entries go, and all can be listed at once. The test of a block is exact:
it holds when the ellipse alpha >= 1/255 meets the rectangle of the block's pixel centres (up to a small slack).
"""

import math

import numpy as np
from numba import njit

from emotag.render.kernels_projection import FOOTPRINT_SLACK, LOG2_E

LOG2_255 = 7.994353436858858


@njit(cache=True, nogil=True)
def band_columns(ellipse, row, bands):
    """First and last column of 4 px blocks that the ellipse meets in each band of 4 px of tile row `row`.

    Inside: a dx² + 2 b dx dy + c dy² <= reach. `bands` [4, 2] is written; first > last where the band is missed.
    """
    a, b, c = -2 * float(ellipse[2]), -float(ellipse[3]), -2 * float(ellipse[4])
    reach = 2 * (float(ellipse[5]) + LOG2_255 + FOOTPRINT_SLACK * LOG2_E)
    # A long needle's determinant is lost to rounding: the least it can be told from zero makes the test generous.
    determinant = max(a * c - b * b, 1e-7 * a * c)
    tall = math.sqrt(reach * a / determinant)
    # The ellipse is widest at dy = -b/c times its half width, on either side.
    widest = -b / c * math.sqrt(reach * c / determinant)
    inverse = 1 / a
    for band in range(4):
        low = 16 * row + 4 * band + 0.5 - ellipse[1]
        y0, y1 = max(low, -tall), min(low + 3.0, tall)
        if y0 > y1:
            bands[band, 0], bands[band, 1] = 1, 0
            continue
        right, left = min(max(widest, y0), y1), min(max(-widest, y0), y1)
        last = (math.sqrt(max(reach * a - determinant * right * right, 0.0)) - b * right) * inverse + ellipse[0]
        first = (-math.sqrt(max(reach * a - determinant * left * left, 0.0)) - b * left) * inverse + ellipse[0]
        # Block k holds the centres 4 k + 0.5 to 4 k + 3.5. Far ends are cut off before they overflow.
        bands[band, 0] = int(math.ceil((max(first, -16.0) - 3.5) * 0.25))
        bands[band, 1] = int(math.floor((min(last, 1e6) - 0.5) * 0.25))


@njit(cache=True, nogil=True)
def cover_range(start, stop, ellipses, boxes, offsets, columns, pair_tiles, pair_masks, counts):
    """List the tiles that Gaussians [start, stop) touch.

    Arrays:
        ellipses, boxes: of `project_range`.
        offsets: [M] int64, where a Gaussian's pairs begin. columns: tiles in a row.
        pair_tiles, pair_masks: out, int32: tile of the frame, bits of its blocks (bit 4 * row + column).
        counts: out [M] int32, pairs of each Gaussian.
    """
    bands = np.empty((4, 2), np.int64)
    for i in range(start, stop):
        at = offsets[i]
        for row in range(boxes[i, 2], boxes[i, 3] + 1):
            band_columns(ellipses[i], row, bands)
            for column in range(boxes[i, 0], boxes[i, 1] + 1):
                mask = 0
                for band in range(4):
                    first, last = max(bands[band, 0] - 4 * column, 0), min(bands[band, 1] - 4 * column, 3)
                    if first <= last:
                        mask |= ((1 << (last + 1)) - (1 << first)) << (4 * band)
                if mask:
                    pair_tiles[at], pair_masks[at] = row * columns + column, mask
                    at += 1
        counts[i] = at - offsets[i]


@njit(cache=True, nogil=True)
def sort_range(start, stop, count, depths, boxes, order, used):
    """Sort the Gaussians of frames [start, stop) that have a box, nearest first, equal depths in their own order (radix).

    Arrays:
        count: N. depths, boxes: of `project_range`.
        order: out [B, N] int32, of which the first `used[b]` count. used: out [B] int64.
    """
    keys = depths.view(np.uint32)
    for frame in range(start, stop):
        here, other = order[frame], np.empty(count, np.int32)
        size = 0
        for i in range(frame * count, (frame + 1) * count):
            if boxes[i, 0] <= boxes[i, 1]:
                other[size] = i
                size += 1
        for shift in (0, 11, 22):
            starts = np.zeros(2049, np.int32)
            for n in range(size):
                starts[((keys[other[n]] >> shift) & 2047) + 1] += 1
            for k in range(2048):
                starts[k + 1] += starts[k]
            for n in range(size):
                digit = (keys[other[n]] >> shift) & 2047
                here[starts[digit]] = other[n]
                starts[digit] += 1
            here, other = other, here
        # After three passes what is sorted is what `other` names now: `order`'s own row.
        used[frame] = size


@njit(cache=True, nogil=True)
def count_slices(start, stop, slices, count, tiles, order, used, offsets, counts, pair_tiles, found):
    """Pairs of each tile in slices [start, stop) of all frames; a frame has `slices`, equal parts of its depth order.

    Arrays:
        count, tiles: N, tiles a frame. order, used: of `sort_range`. offsets, counts, pair_tiles: of `cover_range`.
        found: out [B, slices, tiles] int64.
    """
    for piece in range(start, stop):
        frame, part = piece // slices, piece % slices
        found[frame, part] = 0
        for n in range(used[frame] * part // slices, used[frame] * (part + 1) // slices):
            i = order[frame, n]
            for pair in range(offsets[i], offsets[i] + counts[i]):
                found[frame, part, pair_tiles[pair]] += 1


@njit(cache=True, nogil=True)
def list_slices(
    start, stop, slices, count, tiles, order, used, offsets, counts, pair_tiles, cursors, pair_list, gaussian_list
):
    """List the pairs of slices [start, stop) in their tiles, in depth order (see `count_slices`).

    Arrays:
        cursors: [B, slices, tiles] int64, where a slice's first entry of each tile goes; moved.
        pair_list, gaussian_list: out int32: pair and Gaussian of each entry.
    """
    for piece in range(start, stop):
        frame, part = piece // slices, piece % slices
        cursor = cursors[frame, part]
        for n in range(used[frame] * part // slices, used[frame] * (part + 1) // slices):
            i = order[frame, n]
            for pair in range(offsets[i], offsets[i] + counts[i]):
                at = cursor[pair_tiles[pair]]
                pair_list[at], gaussian_list[at] = pair, i
                cursor[pair_tiles[pair]] = at + 1
