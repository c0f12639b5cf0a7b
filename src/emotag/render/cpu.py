"""The `cpu` back end: exact tile rasteriser with an analytic backward pass; threads do not change the bits.

The kernels have two forms, C++ and numba (`emotag.render.forms`); this module is the same for both.
"""

import os
from typing import Any

import numpy as np
import torch
from torch import Tensor

from emotag.geometry.camera import Cameras
from emotag.render.base import Frame, Renderer, ScreenGradient, Splats
from emotag.render.forms import best
from emotag.render.kernels import Kernels
from emotag.render.memory import keep_freed
from emotag.render.scene import BASE_CHANNELS, Scene, Views, build_scene
from emotag.render.workers import Work, Workers, bound

# Of a Gaussian's gradient record, before its channels.
MOMENTS = 6
# Places of the first inputs with a gradient among those of `_Rasterise`.
TURN_INPUT, LENS_INPUT = 5, 6


def _array(tensor: Tensor) -> np.ndarray:
    return tensor.detach().contiguous().numpy()


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
        turn: Tensor,
        lens: Tensor,
        means: Tensor,
        quaternions: Tensor,
        scales: Tensor,
        opacities: Tensor,
        sh: Tensor,
        extras: Tensor,
    ) -> tuple[Tensor, ...]:
        splats = {"means": means, "quaternions": quaternions, "scales": scales, "opacities": opacities, "sh": sh}
        arrays = {name: _array(tensor) for name, tensor in {**splats, "extras": extras, "turn": turn}.items()}
        scene = build_scene(kernels, workers, views, arrays)
        size = (means.shape[0], views.height, views.width)
        drawn = [np.empty((*size, *last), np.float32) for last in ((3,), (), (), (), (extras.shape[-1],))]
        workers.over(
            workers.split_tiles(scene.tile_starts), kernels.forward_range, scene.columns, scene.rows, scene.tile_starts,
            scene.pair_list, scene.gaussian_list, scene.pair_masks, scene.ellipses, scene.channels.ravel(),
            scene.channels.shape[1], background, scene.middle, *drawn,
        )  # fmt: skip
        from_middle = drawn.pop(2)
        images = tuple(torch.from_numpy(image) for image in drawn)
        drawn[2] = from_middle
        ctx.screen, ctx.lens_shape = screen, lens.shape
        ctx.kept = (kernels, workers, views, background, arrays, scene, tuple(drawn))
        return images

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:  # noqa: D102
        given = tuple(_array(gradient) for gradient in grads)
        wanted = ctx.needs_input_grad[TURN_INPUT], ctx.needs_input_grad[LENS_INPUT]
        gradients = {name: torch.from_numpy(a) for name, a in backward_pass(*ctx.kept, given, *wanted).items()}
        ctx.screen.add(gradients["means2d"])
        if "lens" in gradients:
            gradients["lens"] = gradients["lens"].sum_to_size(ctx.lens_shape)
        names = ("turn", "lens", "means", "quaternions", "scales", "opacities", "sh", "extras")
        return (*(None,) * TURN_INPUT, *(gradients.get(name) for name in names))


def backward_pass(
    kernels: Kernels,
    workers: Workers,
    views: Views,
    background: np.ndarray,
    arrays: dict[str, np.ndarray],
    scene: Scene,
    images: tuple[np.ndarray, ...],
    grads: tuple[np.ndarray, ...],
    turn: bool,
    lens: bool,
) -> dict[str, np.ndarray]:
    """Gradients by the splats' fields, extras and means2d, and by `turn` and `lens` [B, 4] if asked for.

    `grads` are those of colour, alpha, depth and extras.
    """
    frames, count = arrays["opacities"].shape
    total, size = scene.channels.shape
    records = pair_records(kernels, workers, background, scene, images, grads)
    flat = {
        name: arrays[name].reshape(total, width) for name, width in (("means", 3), ("quaternions", 4), ("scales", 3))
    }
    opacities = arrays["opacities"].ravel()
    by = {name: np.empty_like(array) for name, array in {**flat, "sh": arrays["sh"], "opacities": opacities}.items()}
    by_mean2d, by_conic, by_depth = (
        np.empty((total, 2), np.float32),
        np.empty_like(scene.conics),
        np.empty_like(opacities),
    )
    by_channel, by_lens = np.empty_like(scene.channels), np.empty((total if lens else 0, 4))
    gather = bound(
        kernels.gather_range, scene.offsets, scene.counts, records, scene.conics, opacities, size, by_mean2d, by_conic,
        by["opacities"], by_depth, by_channel,
    )  # fmt: skip
    by_colour = bound(
        kernels.colour_gradient_range, flat["means"], arrays["sh"], arrays["turn"], scene.channels, by_channel, by["sh"],
        by["means"],
    )  # fmt: skip
    by_place = bound(
        kernels.project_gradient_range, count, *flat.values(), opacities, views.values, scene.conics, by_mean2d, by_conic,
        by_depth, by["opacities"], by["means"], by["quaternions"], by["scales"], by_lens,
    )  # fmt: skip
    found = {"means2d": by_mean2d.reshape(frames, count, 2)}
    through_colour = [in_frames(gather, frames, count), by_colour]
    through_place = [in_frames(by_place, frames, count)]
    even = workers.split_gaussians(count)
    if turn:
        workers.over(even, in_turn(through_colour))
        found["turn"] = turn_gradient(arrays["means"], by["means"].reshape(frames, count, 3), arrays["turn"])
        workers.over(even, in_turn(through_place))
    else:
        workers.over(even, in_turn(through_colour + through_place))
    if lens:
        found["lens"] = by_lens.reshape(frames, count, 4).sum(1)
    by["extras"] = by_channel[:, BASE_CHANNELS:]
    return found | {name: gradient.reshape(arrays[name].shape) for name, gradient in by.items()}


def in_turn(works: list[Work]) -> Work:
    """One after the other on the same Gaussians, while they are in the cache."""

    def work(start: int, stop: int) -> None:
        for one in works:
            one(start, stop)

    return work


def in_frames(work: Work, frames: int, count: int) -> Work:
    """What works on the flattened batch as work on a frame's Gaussians, for all `frames` of `count`."""

    def each(start: int, stop: int) -> None:
        for frame in range(frames):
            work(frame * count + start, frame * count + stop)

    return each


def pair_records(
    kernels: Kernels,
    workers: Workers,
    background: np.ndarray,
    scene: Scene,
    images: tuple[np.ndarray, ...],
    grads: tuple[np.ndarray, ...],
) -> np.ndarray:
    """Moments and gradients by the channels of each (Gaussian, tile) pair: [pairs, 6 + size], where it was listed."""
    size = scene.channels.shape[1]
    records = np.empty((scene.pair_masks.size, MOMENTS + size), np.float32)
    workers.over(
        workers.split_tiles(scene.tile_starts), kernels.backward_range, scene.columns, scene.rows, scene.tile_starts,
        scene.pair_list, scene.gaussian_list, scene.pair_masks, scene.ellipses, scene.channels.ravel(), size,
        background, images, grads, records,
    )  # fmt: skip
    return records


def turn_gradient(means: np.ndarray, by_means: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Gradient [B, 3, 3] by the harmonics' orientation, from that by the means through the colours alone [B, N, 3].

    Colours see the mean m only through the direction d = turnᵀ m / |m|. Of the gradient by d the part across d is turnᵀ of
    |m| times that by m; the part along d belongs to no rotation. So this is exact for whatever `turn` is a rotation of.
    """
    # einsum without BLAS: its bits depend on no number of threads.
    outer = np.einsum("bni,bnj->bij", means.astype(np.float64), by_means.astype(np.float64))
    return (outer @ turn).astype(np.float32)


class CpuRenderer(Renderer):
    """Exact tile rasteriser on `threads` threads (all the cores this process may use if None), float32.

    Same image as `torch`'s and gsplat's rules; gradients by means, quaternions, scales, opacities, sh, orientation, extras
    and lens.
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
            turn.float(),
            cameras.lens.double(),
            *(tensor.float() for tensor in (*tensors, given)),
        )
        return Frame(colour, alpha, depth, None if extras is None else drawn, screen)
