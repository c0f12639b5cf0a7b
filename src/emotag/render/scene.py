"""A batch of frames as the cpu kernels take it: cameras as rows of numbers, Gaussians projected and sorted into tiles."""

from dataclasses import dataclass

import numpy as np
import torch

from emotag.geometry.camera import Cameras
from emotag.render.kernels import Kernels
from emotag.render.projection import EPS_2D, NEAR_M, view_limits
from emotag.render.workers import PARTS, Work, Workers, bound

# Channels that are always drawn: red, green, blue, depth.
BASE_CHANNELS = 4


@dataclass(frozen=True)
class Scene:
    """The flattened batch (M = B * N) on the image plane, kept for the backward pass.

    Depths are drawn from `middle` [B] m on, the mean of what is seen: where next to nothing is drawn the expected depth is
    a quotient of two small numbers, and this keeps their rounding off all of the depth but its distance from the middle.
    """

    ellipses: np.ndarray
    conics: np.ndarray
    middle: np.ndarray
    channels: np.ndarray
    offsets: np.ndarray
    counts: np.ndarray
    pair_masks: np.ndarray
    tile_starts: np.ndarray
    pair_list: np.ndarray
    gaussian_list: np.ndarray
    columns: int
    rows: int


@dataclass(frozen=True)
class Views:
    """Cameras as the kernels take them: `values` [B or 1, 13] (see `kernels_projection`), image size in px."""

    values: np.ndarray
    width: int
    height: int

    @classmethod
    def of(cls, cameras: Cameras, antialiased: bool) -> "Views":
        """From `cameras`, with the flag that all frames share."""
        exact = Cameras(cameras.lens.detach().double(), cameras.width, cameras.height)
        shared = torch.tensor([[exact.width, exact.height, NEAR_M, EPS_2D]], dtype=torch.float64)
        flag = torch.full((len(exact.lens), 1), float(antialiased), dtype=torch.float64)
        parts = [exact.lens, shared.expand(len(exact.lens), 4), view_limits(exact), flag]
        return cls(torch.cat(parts, 1).numpy(), exact.width, exact.height)


def build_scene(kernels: Kernels, workers: Workers, views: Views, arrays: dict[str, np.ndarray]) -> Scene:
    """Project, colour and sort into tiles. `arrays`: the splats by field name, float32, with extras and turn."""
    frames, count = arrays["opacities"].shape
    total = frames * count
    extras = arrays["extras"].reshape(total, arrays["extras"].shape[-1])
    ellipses, conics = np.empty((total, 6), np.float32), np.empty((total, 3), np.float32)
    depths, boxes = np.empty(total, np.float32), np.empty((total, 4), np.int32)
    channels = np.empty((total, BASE_CHANNELS + extras.shape[1]), np.float32)
    means = arrays["means"].reshape(total, 3)
    flat = (arrays["quaternions"].reshape(total, 4), arrays["scales"].reshape(total, 3), arrays["opacities"].ravel())
    columns, rows = -(-views.width // 16), -(-views.height // 16)
    room = np.zeros(total + 1, np.int64)
    even = workers.split_gaussians(total)
    outputs = (ellipses, conics, depths, boxes, room)
    workers.together(
        (even, bound(kernels.project_range, count, means, *flat, views.values, *outputs)),
        (even, bound(kernels.colour_range, count, means, arrays["sh"], arrays["turn"], channels)),
    )
    channels[:, BASE_CHANNELS:] = extras
    np.cumsum(room, out=room)
    pair_tiles, pair_masks = np.empty(room[-1], np.int32), np.empty(room[-1], np.int32)
    counts, order, used = np.empty(total, np.int32), np.empty((frames, count), np.int32), np.empty(frames, np.int64)
    # Sorting comes first, as it cannot be cut: whoever has no frame to sort covers meanwhile.
    workers.together(
        (np.arange(frames + 1), bound(kernels.sort_range, count, depths, boxes, order, used)),
        (even, bound(kernels.cover_range, ellipses, boxes, room, columns, pair_tiles, pair_masks, counts)),
    )
    middle = np.empty(frames, np.float32)

    def measure(start: int, stop: int) -> None:
        for frame in range(start, stop):
            here = slice(frame * count, (frame + 1) * count)
            seen = counts[here] > 0
            middle[frame] = (depths[here] * seen).sum() / max(seen.sum(), 1)
            np.subtract(depths[here], middle[frame], out=channels[here, 3])

    lists = tile_lists(kernels, workers, columns * rows, order, used, (room, counts, pair_tiles), measure)
    return Scene(ellipses, conics, middle, channels, room, counts, pair_masks, *lists, columns, rows)


def tile_lists(
    kernels: Kernels,
    workers: Workers,
    tiles: int,
    order: np.ndarray,
    used: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
    meanwhile: Work,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where each tile's list starts [B * tiles + 1], and the pair and the Gaussian of each entry.

    Args:
        tiles: of a frame.
        order, used: of `sort_range`.
        pairs: offsets, counts and tiles, of `cover_range`.
        meanwhile: work on frames that is done beside the counting.
    """
    frames, count = order.shape
    # The lists do not depend on the number of slices, so neither on that of threads.
    slices = 1 if workers.threads == 1 else PARTS * workers.threads
    parts = np.arange(frames * slices + 1)
    found = np.empty((frames, slices, tiles), np.int64)
    given = (slices, count, tiles, order, used, *pairs)
    workers.together((np.arange(frames + 1), meanwhile), (parts, bound(kernels.count_slices, *given, found)))
    ends = np.cumsum(found.transpose(0, 2, 1)).reshape(frames, tiles, slices)
    starts = ends - found.transpose(0, 2, 1)
    tile_starts = np.append(starts[:, :, 0], ends[-1, -1, -1])
    pair_list, gaussian_list = np.empty(tile_starts[-1], np.int32), np.empty(tile_starts[-1], np.int32)
    cursors = np.ascontiguousarray(starts.transpose(0, 2, 1))
    workers.over(parts, kernels.list_slices, *given, cursors, pair_list, gaussian_list)
    return tile_starts, pair_list, gaussian_list
