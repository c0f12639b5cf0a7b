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
from emotag.render.workers import Workers

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
        images = tuple(np.empty((*size, *last), np.float32) for last in ((3,), (), (), (extras.shape[-1],)))
        workers.over(
            workers.split_tiles(scene.tile_starts), kernels.forward_range, scene.columns, scene.rows, scene.tile_starts,
            scene.pair_list, scene.gaussian_list, scene.pair_masks, scene.ellipses, scene.channels.ravel(),
            scene.channels.shape[1], background, *images,
        )  # fmt: skip
        ctx.screen, ctx.lens_shape = screen, lens.shape
        ctx.kept = (kernels, workers, views, background, arrays, scene, images)
        colour, alpha, depth, drawn = images
        from_camera = (depth + scene.middle[:, None, None]) * (alpha > 0)
        return tuple(torch.from_numpy(image) for image in (colour, alpha, from_camera, drawn))

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
    total = frames * count
    by_mean2d, by_conic, by_opacity, by_channel = gathered(
        kernels, workers, background, arrays["opacities"].ravel(), scene, images, grads
    )
    means = arrays["means"].reshape(total, 3)
    by_mean, by_sh = np.empty_like(means), np.zeros_like(arrays["sh"])
    workers.over(
        workers.split(count), kernels.colour_gradient_range, means, arrays["sh"], arrays["turn"], scene.channels, by_channel,
        by_sh, by_mean,
    )  # fmt: skip
    found = {"sh": by_sh, "means2d": by_mean2d.reshape(frames, count, 2)}
    if turn:
        found["turn"] = turn_gradient(arrays["means"], by_mean.reshape(frames, count, 3), arrays["turn"])
    quaternions, scales = arrays["quaternions"].reshape(total, 4), arrays["scales"].reshape(total, 3)
    by_quaternion, by_scale = np.empty_like(quaternions), np.empty_like(scales)
    by_lens = np.empty((total if lens else 0, 4))
    workers.over(
        workers.split(total), kernels.project_gradient_range, count, means, quaternions, scales, arrays["opacities"].ravel(),
        views.values, scene.conics, by_mean2d, by_conic, np.ascontiguousarray(by_channel[:, 3]), by_opacity, by_mean,
        by_quaternion, by_scale, by_lens,
    )  # fmt: skip
    if lens:
        found["lens"] = by_lens.reshape(frames, count, 4).sum(1)
    flat = {
        "means": by_mean,
        "quaternions": by_quaternion,
        "scales": by_scale,
        "opacities": by_opacity,
        "extras": by_channel[:, BASE_CHANNELS:],
    }
    return found | {name: gradient.reshape(arrays[name].shape) for name, gradient in flat.items()}


def gathered(
    kernels: Kernels,
    workers: Workers,
    background: np.ndarray,
    opacities: np.ndarray,
    scene: Scene,
    images: tuple[np.ndarray, ...],
    grads: tuple[np.ndarray, ...],
) -> tuple[np.ndarray, ...]:
    """Gradients by what was drawn: centres [M, 2], conics [M, 3], `opacities` [M] and channels [M, size]."""
    total, size = scene.channels.shape
    records = np.zeros((scene.pair_masks.size, MOMENTS + size), np.float32)
    workers.over(
        workers.split_tiles(scene.tile_starts), kernels.backward_range, scene.columns, scene.rows, scene.tile_starts,
        scene.pair_list, scene.gaussian_list, scene.pair_masks, scene.ellipses, scene.channels.ravel(), size,
        background, images, grads, records,
    )  # fmt: skip
    by_mean2d, by_conic, by_channel = (np.empty((total, width), np.float32) for width in (2, 3, size))
    by_opacity = np.empty(total, np.float32)
    workers.over(
        workers.split(total), kernels.gather_range, scene.offsets, scene.counts, records, scene.conics, opacities, size,
        by_mean2d, by_conic, by_opacity, by_channel,
    )  # fmt: skip
    return by_mean2d, by_conic, by_opacity, by_channel


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
