"""L1 and SSIM of rendered frames in one fused pass, with their gradient (CPU kernels; torch convolutions elsewhere)."""

from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from emotag.errors import ConfigError
from emotag.render.forms import best
from emotag.render.kernels import Kernels
from emotag.render.memory import keep_freed
from emotag.render.workers import Workers

RADIUS = 5
_taps = np.exp(-0.5 * (np.arange(-RADIUS, RADIUS + 1) / 1.5) ** 2)
WINDOW = (_taps / _taps.sum()).tolist()
C1, C2 = 0.01**2, 0.03**2


def _row_weights(weight: Tensor | None, image: Tensor) -> Tensor:
    """Weights that sum to one over all entries of the image, [B, H, W, 3], float32."""
    if weight is None:
        return torch.full_like(image, 1 / image.numel())
    total = weight.sum() * 3
    return (weight / total.clamp_min(1e-12))[..., None].expand_as(image)


class _L1Ssim(torch.autograd.Function):
    """Image, target and normalised weights to the two weighted means."""

    @staticmethod
    def forward(
        ctx: Any, kernels: Kernels, workers: Workers, image: Tensor, target: Tensor, weight: Tensor
    ) -> tuple[Tensor, Tensor]:
        batch, height, width, _ = image.shape
        flat = [t.detach().contiguous().numpy().reshape(batch * height, width * 3) for t in (image, target, weight)]
        derivatives = [np.empty_like(flat[0]) for _ in range(3)]
        sums = np.empty((batch * height, 2))
        workers.over(workers.split(batch * height), kernels.statistics_range, height, *flat, sums, *derivatives)
        ctx.kept = (kernels, workers, image.shape, flat, derivatives)
        l1, ssim = sums.sum(0)
        return image.new_tensor(l1), image.new_tensor(ssim)

    @staticmethod
    def backward(ctx: Any, by_l1: Tensor, by_ssim: Tensor) -> tuple[Tensor | None, ...]:
        kernels, workers, shape, flat, derivatives = ctx.kept
        out = np.empty_like(flat[0])
        given = (np.float32(by_l1.item()), np.float32(by_ssim.item()))
        workers.over(workers.split(len(out)), kernels.gradient_range, shape[1], *flat, *derivatives, *given, out)
        return None, None, torch.from_numpy(out).reshape(shape), None, None


def l1_ssim_torch(image: Tensor, target: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """The same two means by torch operations: any device and float type, and the fused kernel's oracle."""
    weights = _row_weights(weight, image)
    window = torch.tensor(WINDOW, dtype=image.dtype, device=image.device)
    x, y = (t.permute(0, 3, 1, 2).flatten(0, 1)[:, None] for t in (image, target))

    def blur(planes: Tensor) -> Tensor:
        rows = conv2d(planes, window.view(1, 1, 1, -1), padding=(0, RADIUS))
        return conv2d(rows, window.view(1, 1, -1, 1), padding=(RADIUS, 0))

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    similarity = (2 * mx * my + C1) * (2 * cov + C2) / ((mx * mx + my * my + C1) * (vx + vy + C2))
    similarity = similarity[:, 0].unflatten(0, (image.shape[0], 3)).permute(0, 2, 3, 1)
    return (weights * (image - target).abs()).sum(), (weights * similarity).sum()


class Photometric:
    """`photometric(image, target, weight) -> (l1, ssim)`: weighted means over pixels, channels and frames.

    SSIM: 11 x 11 Gaussian window of sigma 1.5, zeros beyond the border, each of RGB apart (as the loss of 3DGS), data
    range 1. Differentiable in the image alone. On CUDA, and in float64, torch convolutions are used.

    Args:
        threads: CPU threads; they do not change the bits.
        kernels: form of the CPU kernels, the best that can be had if None.
    """

    def __init__(self, threads: int = 1, kernels: Kernels | None = None) -> None:
        keep_freed()
        self._kernels = best() if kernels is None else kernels
        self._workers = Workers(threads)
        self._even: Tensor | None = None

    def __call__(self, image: Tensor, target: Tensor, weight: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """[B, H, W, 3] 0 to 1 twice and [B, H, W] (all ones if None; means are over its sum) to two scalars.

        Raises:
            ConfigError: the shapes do not fit.
        """
        pixels = tuple(image.shape[:3])
        if image.shape != target.shape or image.shape[-1] != 3 or (weight is not None and weight.shape != pixels):
            raise ConfigError(
                f"photometric loss: image {tuple(image.shape)}, target {tuple(target.shape)}, weight "
                f"{None if weight is None else tuple(weight.shape)}; expected [B, H, W, 3] twice and [B, H, W]"
            )
        if image.is_cuda or image.dtype != torch.float32:
            return l1_ssim_torch(image, target, weight)
        if weight is not None:
            weights = _row_weights(weight, image).float()
        else:
            # The same from step to step, and as large as the picture.
            if self._even is None or self._even.shape != image.shape:
                self._even = _row_weights(None, image.detach())
            weights = self._even
        return _L1Ssim.apply(self._kernels, self._workers, image, target.float(), weights)
