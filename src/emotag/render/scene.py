"""A batch of frames as the cpu kernels take it: cameras as rows of numbers, Gaussians projected and sorted into tiles."""

from dataclasses import dataclass

import numpy as np
import torch

from emotag.geometry.camera import Cameras
from emotag.render.kernels import Kernels
from emotag.render.projection import EPS_2D, NEAR_M, view_limits
from emotag.render.workers import Workers

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
    ellipses, conics = np.zeros((total, 6), np.float32), np.zeros((total, 3), np.float32)
    depths, boxes = np.empty(total, np.float32), np.empty((total, 4), np.int32)
    channels = np.empty((total, BASE_CHANNELS + extras.shape[1]), np.float32)
    means = arrays["means"].reshape(total, 3)
    flat = (arrays["quaternions"].reshape(total, 4), arrays["scales"].reshape(total, 3), arrays["opacities"].ravel())
    even = workers.split(total)
    workers.over(even, kernels.project_range, count, means, *flat, views.values, ellipses, conics, depths, boxes)
    workers.over(even, kernels.colour_range, count, means, arrays["sh"], arrays["turn"], channels)
    channels[:, BASE_CHANNELS:] = extras
    columns, rows = -(-views.width // 16), -(-views.height // 16)
    room = np.zeros(total + 1, np.int64)
    np.cumsum((boxes[:, 1] - boxes[:, 0] + 1).clip(0) * (boxes[:, 3] - boxes[:, 2] + 1).clip(0), out=room[1:])
    pair_tiles, pair_masks = np.empty(room[-1], np.int32), np.empty(room[-1], np.int32)
    counts = np.empty(total, np.int32)
    workers.over(even, kernels.cover_range, ellipses, boxes, room, columns, pair_tiles, pair_masks, counts)
    seen = counts.reshape(frames, count) > 0
    middle = np.where(seen, depths.reshape(frames, count), 0).sum(1) / seen.sum(1).clip(1)
    middle = middle.astype(np.float32)
    channels[:, 3] = (depths.reshape(frames, count) - middle[:, None]).ravel()
    ends = np.concatenate([[0], np.cumsum(counts.reshape(frames, count).sum(1, dtype=np.int64))])
    tile_starts = np.zeros(frames * columns * rows + 1, np.int64)
    pair_list, gaussian_list = np.empty(ends[-1], np.int32), np.empty(ends[-1], np.int32)

    def fill(start: int, stop: int) -> None:
        for frame in range(start, stop):
            kernels.fill_tiles(
                frame, count, columns * rows, depths, counts, room, pair_tiles, tile_starts, ends[frame], pair_list,
                gaussian_list,
            )  # fmt: skip

    workers.over(np.arange(frames + 1), fill)
    return Scene(
        ellipses,
        conics,
        middle,
        channels,
        room,
        counts,
        pair_masks,
        tile_starts,
        pair_list,
        gaussian_list,
        columns,
        rows,
    )
