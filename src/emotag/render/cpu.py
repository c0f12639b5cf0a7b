"""The `cpu` back end: exact tile rasteriser with an analytic backward pass; threads do not change the bits.

The kernels have two forms, C++ and numba (`emotag.render.forms`); this module is the same for both.
"""

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emotag.geometry.camera import Cameras
from emotag.render.base import Frame, Renderer, ScreenGradient, Splats
from emotag.render.forms import best
from emotag.render.kernels import Kernels
from emotag.render.memory import keep_freed
from emotag.render.projection import EPS_2D, NEAR_M, view_limits
from emotag.render.workers import Workers

# Channels that are always drawn: red, green, blue, depth.
BASE_CHANNELS = 4
# Of a Gaussian's gradient record, before its channels.
MOMENTS = 6
# Place of the lens, the first input with a gradient, among the inputs of `_Rasterise`.
LENS_INPUT = 6


@dataclass(frozen=True)
class Scene:
    """The flattened batch (M = B * N) on the image plane, kept for the backward pass."""

    ellipses: np.ndarray
    conics: np.ndarray
    depths: np.ndarray
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


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


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
    channels[:, 3] = depths
    channels[:, BASE_CHANNELS:] = extras
    columns, rows = -(-views.width // 16), -(-views.height // 16)
    room = np.zeros(total + 1, np.int64)
    np.cumsum((boxes[:, 1] - boxes[:, 0] + 1).clip(0) * (boxes[:, 3] - boxes[:, 2] + 1).clip(0), out=room[1:])
    pair_tiles, pair_masks = np.empty(room[-1], np.int32), np.empty(room[-1], np.int32)
    counts = np.empty(total, np.int32)
    workers.over(even, kernels.cover_range, ellipses, boxes, room, columns, pair_tiles, pair_masks, counts)
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
        depths,
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


class _Rasterise(torch.autograd.Function):
    """Splats to colour, alpha, depth and extras."""

    @staticmethod
    def forward(  # noqa: D102
        ctx: Any,
        kernels: Kernels,
        workers: Workers,
        views: Views,
        screen: ScreenGradient,
        background: np.ndarray,
        turn: np.ndarray,
        lens: Tensor,
        means: Tensor,
        quaternions: Tensor,
        scales: Tensor,
        opacities: Tensor,
        sh: Tensor,
        extras: Tensor,
    ) -> tuple[Tensor, ...]:
        splats = {"means": means, "quaternions": quaternions, "scales": scales, "opacities": opacities, "sh": sh}
        arrays = {name: _array(tensor) for name, tensor in {**splats, "extras": extras}.items()} | {"turn": turn}
        scene = build_scene(kernels, workers, views, arrays)
        size = (means.shape[0], views.height, views.width)
        images = tuple(np.empty((*size, *last), np.float32) for last in ((3,), (), (), (extras.shape[-1],)))
        workers.over(
            workers.split_tiles(scene.tile_starts), kernels.forward_range, scene.columns, scene.rows, scene.tile_starts,
            scene.pair_list, scene.gaussian_list, scene.pair_masks, scene.ellipses, scene.channels.ravel(),
            scene.channels.shape[1], background, *images,
        )  # fmt: skip
        ctx.screen, ctx.lens_shape = screen, lens.shape
        ctx.kept = (kernels, workers, views, background, arrays, scene, images)
        return tuple(torch.from_numpy(image) for image in images)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        given = tuple(_array(gradient) for gradient in grads)
        by_lens = ctx.needs_input_grad[LENS_INPUT]
        gradients = {name: torch.from_numpy(a) for name, a in backward_pass(*ctx.kept, given, by_lens).items()}
        ctx.screen.add(gradients["means2d"])
        lens = gradients["lens"].sum_to_size(ctx.lens_shape) if by_lens else None
        names = ("means", "quaternions", "scales", "opacities", "sh", "extras")
        return (*(None,) * LENS_INPUT, lens, *(gradients[name] for name in names))


def backward_pass(
    kernels: Kernels,
    workers: Workers,
    views: Views,
    background: np.ndarray,
    arrays: dict[str, np.ndarray],
    scene: Scene,
    images: tuple[np.ndarray, ...],
    grads: tuple[np.ndarray, ...],
    lens: bool,
) -> dict[str, np.ndarray]:
    """Gradients by the splats' fields, extras, means2d and `lens` [B, 4], from those of colour, alpha, depth, extras."""
    frames, count = arrays["opacities"].shape
    total, size = scene.channels.shape
    records = np.zeros((scene.pair_masks.size, MOMENTS + size), np.float32)
    workers.over(
        workers.split_tiles(scene.tile_starts), kernels.backward_range, scene.columns, scene.rows, scene.tile_starts,
        scene.pair_list, scene.gaussian_list, scene.pair_masks, scene.ellipses, scene.channels.ravel(), size,
        background, images, grads, records,
    )  # fmt: skip
    even = workers.split(total)
    by_mean2d, by_conic, by_channel = (np.empty((total, width), np.float32) for width in (2, 3, size))
    by_opacity = np.empty((frames, count), np.float32)
    workers.over(
        even, kernels.gather_range, scene.offsets, scene.counts, records, scene.conics, arrays["opacities"].ravel(), size,
        by_mean2d, by_conic, by_opacity.ravel(), by_channel,
    )  # fmt: skip
    means = arrays["means"].reshape(total, 3)
    by_mean, by_sh = np.empty_like(means), np.zeros_like(arrays["sh"])
    workers.over(
        workers.split(count), kernels.colour_gradient_range, means, arrays["sh"], arrays["turn"], scene.channels, by_channel,
        by_sh, by_mean,
    )  # fmt: skip
    quaternions, scales = arrays["quaternions"].reshape(total, 4), arrays["scales"].reshape(total, 3)
    by_quaternion, by_scale = np.empty_like(quaternions), np.empty_like(scales)
    by_lens = np.empty((total if lens else 0, 4))
    workers.over(
        even, kernels.project_gradient_range, count, means, quaternions, scales, arrays["opacities"].ravel(), views.values,
        scene.conics, by_mean2d, by_conic, np.ascontiguousarray(by_channel[:, 3]), by_opacity.ravel(), by_mean,
        by_quaternion, by_scale, by_lens,
    )  # fmt: skip
    flat = {
        "means": by_mean,
        "quaternions": by_quaternion,
        "scales": by_scale,
        "opacities": by_opacity,
        "extras": by_channel[:, BASE_CHANNELS:],
    }
    screen = by_mean2d.reshape(frames, count, 2)
    summed = {"sh": by_sh, "means2d": screen, "lens": by_lens.reshape(frames, count if lens else 0, 4).sum(1)}
    return summed | {name: gradient.reshape(arrays[name].shape) for name, gradient in flat.items()}


class CpuRenderer(Renderer):
    """Exact tile rasteriser on `threads` threads (all the cores this process may use if None), float32.

    Same image as `torch`'s and gsplat's rules; gradients by means, quaternions, scales, opacities, sh, extras and lens.
    `kernels`: their form (the best that can be had if None); `name` tells it.
    """

    def __init__(self, threads: int | None = None, kernels: Kernels | None = None, antialiased: bool = False) -> None:
        super().__init__(antialiased)
        keep_freed()
        self._kernels = best() if kernels is None else kernels
        self.name = self._kernels.name
        self._workers = Workers(threads or len(os.sched_getaffinity(0)))

    def _draw(self, splats: Splats, cameras: Cameras, background: Tensor, extras: Tensor | None) -> Frame:
        frames, count = splats.opacities.shape
        turn = torch.eye(3).expand(frames, 3, 3) if splats.orientation is None else splats.orientation
        tensors = (splats.means, splats.quaternions, splats.scales, splats.opacities, splats.sh)
        given = torch.zeros(frames, count, 0) if extras is None else extras
        screen = ScreenGradient()
        colour, alpha, depth, drawn = _Rasterise.apply(
            self._kernels,
            self._workers,
            Views.of(cameras, self.antialiased),
            screen,
            _array(background.float()),
            _array(turn.float()),
            cameras.lens.double(),
            *(tensor.float() for tensor in (*tensors, given)),
        )
        return Frame(colour, alpha, depth, None if extras is None else drawn, screen)
