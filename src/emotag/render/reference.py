"""The `torch` back end: small, readable, slow, in any float type. It is the oracle of the fast back ends' tests."""

import torch
from torch import Tensor

from emotag.geometry.camera import Cameras
from emotag.render.base import Frame, Renderer, ScreenGradient, Splats
from emotag.render.projection import Projected, project
from emotag.render.sh import colours

ALPHA_LEAST = 1 / 255
ALPHA_MOST = 0.999
TRANSMITTANCE_STOP = 1e-4
TILE_PX = 16


def _blend(alpha: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Front to back alpha blending. `alpha` [P, N] sorted by depth, `values` [N, C] to ([P, C], alpha [P]).

    As in gsplat the Gaussian that would take the transmittance to 1e-4 or below is left out, with all behind it.
    """
    after = torch.cumprod(1 - alpha, dim=-1)
    before = torch.cat([torch.ones_like(after[:, :1]), after[:, :-1]], dim=-1)
    weight = alpha * before * (after > TRANSMITTANCE_STOP)
    return weight @ values, weight.sum(-1)


def _alphas(pixels: Tensor, means: Tensor, conics: Tensor, opacities: Tensor) -> Tensor:
    """Opacity of Gaussians at pixel centres: [P, 2] px, [N, 2] px, [N, 3], [N] to [P, N], zero below 1/255."""
    dx, dy = (pixels[:, None] - means[None]).unbind(-1)
    a, b, c = conics.unbind(-1)
    sigma = 0.5 * (a * dx * dx + c * dy * dy) + b * dx * dy
    alpha = (opacities * torch.exp(-sigma)).clamp_max(ALPHA_MOST)
    return torch.where(alpha >= ALPHA_LEAST, alpha, torch.zeros_like(alpha))


def _draw_frame(
    projected: Projected, frame: int, opacities: Tensor, values: Tensor, size: Cameras
) -> tuple[Tensor, Tensor]:
    """One frame tile by tile: blended `values` [H, W, C] and alpha [H, W]."""
    keep = torch.nonzero(projected.visible[frame]).squeeze(-1)
    order = keep[torch.argsort(projected.depths[frame, keep], stable=True)]
    means, conics = projected.means[frame, order], projected.conics[frame, order]
    opacities, values = opacities[order], values[order]
    rows = []
    for top in range(0, size.height, TILE_PX):
        tiles = []
        height = min(TILE_PX, size.height - top)
        for left in range(0, size.width, TILE_PX):
            width = min(TILE_PX, size.width - left)
            y, x = torch.meshgrid(torch.arange(height) + top, torch.arange(width) + left, indexing="ij")
            pixels = torch.stack([x, y], -1).reshape(-1, 2).to(means) + 0.5
            with torch.no_grad():
                touching = (_alphas(pixels, means, conics, opacities) > 0).any(0)
            alpha = _alphas(pixels, means[touching], conics[touching], opacities[touching])
            blended, coverage = _blend(alpha, values[touching])
            tiles.append(torch.cat([blended, coverage[:, None]], -1).reshape(height, width, -1))
        rows.append(torch.cat(tiles, 1))
    image = torch.cat(rows, 0)
    return image[..., :-1], image[..., -1]


class TorchRenderer(Renderer):
    """Dense alpha compositing in torch (any device, float32 or float64): thousands of Gaussians at most."""

    name = "torch"

    def _draw(self, splats: Splats, cameras: Cameras, background: Tensor, extras: Tensor | None) -> Frame:
        projected = project(splats, cameras)
        screen = ScreenGradient()
        if projected.means.requires_grad:
            projected.means.register_hook(screen.add)
        opacities = splats.opacities * projected.compensation if self.antialiased else splats.opacities
        parts = [colours(splats.sh, splats.means, splats.orientation), projected.depths[..., None]]
        values = torch.cat(parts if extras is None else [*parts, extras], -1)
        frames = range(splats.means.shape[0])
        drawn = [_draw_frame(projected, b, opacities[b], values[b], cameras) for b in frames]
        blended, alpha = (torch.stack(images) for images in zip(*drawn, strict=True))
        colour = blended[..., :3] + (1 - alpha[..., None]) * background
        covered = alpha > 0
        depth = torch.where(covered, blended[..., 3] / torch.where(covered, alpha, torch.ones_like(alpha)), 0)
        return Frame(colour, alpha, depth, None if extras is None else blended[..., 4:], screen)
