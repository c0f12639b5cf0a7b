"""The `gsplat` back end: NVIDIA's CUDA rasteriser (Ye et al. 2024), fed with our colours and our camera."""

import torch
from torch import Tensor

from emotag.errors import AssetMissing, ConfigError
from emotag.geometry.camera import Cameras
from emotag.geometry.rotations import quaternion_product
from emotag.render.base import Frame, Renderer, ScreenGradient, Splats
from emotag.render.projection import EPS_2D, NEAR_M
from emotag.render.sh import colours

# Half a turn about x: our camera looks down -z with y up, gsplat's down +z with y down.
HALF_TURN = (0.0, 1.0, 0.0, 0.0)


def available() -> str:
    """Why gsplat cannot be used here, or an empty string where it can."""
    if not torch.cuda.is_available():
        return "torch finds no CUDA device (torch.cuda.is_available() is False)"
    try:
        import gsplat  # noqa: F401
    except ImportError as error:
        return f"the package gsplat cannot be imported ({error})"
    return ""


def to_gsplat(splats: Splats) -> tuple[Tensor, Tensor]:
    """Means [B, N, 3] and quaternions [B, N, 4] in gsplat's camera frame (x right, y down, z ahead)."""
    means, quaternions = splats.means, splats.quaternions
    flip = torch.tensor([1.0, -1.0, -1.0], dtype=means.dtype, device=means.device)
    turn = torch.tensor(HALF_TURN, dtype=means.dtype, device=means.device)
    return means * flip, quaternion_product(turn.expand_as(quaternions), quaternions)


def intrinsics(cameras: Cameras, like: Tensor) -> Tensor:
    """[B or 1, 3, 3] matrices of the cameras, of the type of `like`."""
    fx, fy, cx, cy = cameras.lens.to(like).unbind(-1)
    zero, one = torch.zeros_like(fx), torch.ones_like(fx)
    return torch.stack([fx, zero, cx, zero, fy, cy, zero, zero, one], -1).reshape(-1, 3, 3)


class GsplatRenderer(Renderer):
    """gsplat on CUDA in float32. Inputs are taken to the GPU and frames back to where the means are.

    A lens gets no gradient.

    Raises:
        AssetMissing: there is no CUDA device or no gsplat.
    """

    name = "gsplat"
    device = "cuda"

    def __init__(self, antialiased: bool = False) -> None:
        super().__init__(antialiased)
        reason = available()
        if reason:
            raise AssetMissing(
                f"render backend gsplat: {reason}; expected an NVIDIA GPU, a CUDA build of torch and gsplat 1.5.3 or "
                "later (prebuilt: conda install -c conda-forge gsplat; where nvcc is: pip install gsplat); or choose "
                "backend cpu"
            )
        from gsplat import rasterization

        self._rasterization = rasterization

    def _draw(self, splats: Splats, cameras: Cameras, background: Tensor, extras: Tensor | None) -> Frame:
        if cameras.lens.requires_grad:
            raise ConfigError(
                "render backend gsplat: the lens requires a gradient, which gsplat does not give; expected "
                "lens.detach(), or one of the backends cpu and torch"
            )
        home = splats.means.device
        splats = splats.to(self.device, torch.float32)
        means, quaternions = to_gsplat(splats)
        values = colours(splats.sh, splats.means, splats.orientation)
        if extras is not None:
            values = torch.cat([values, extras.to(values)], -1)
        frames = means.shape[0]
        identity = torch.eye(4, dtype=means.dtype, device=means.device).expand(frames, 1, 4, 4)
        drawn, alpha, found = self._rasterization(
            means=means,
            quats=quaternions,
            scales=splats.scales,
            opacities=splats.opacities,
            colors=values[:, None],
            viewmats=identity.contiguous(),
            Ks=intrinsics(cameras, means)[:, None].expand(frames, 1, 3, 3).contiguous(),
            width=cameras.width,
            height=cameras.height,
            near_plane=NEAR_M,
            eps2d=EPS_2D,
            packed=False,
            render_mode="RGB+ED",
            rasterize_mode="antialiased" if self.antialiased else "classic",
        )
        screen = ScreenGradient()
        if found["means2d"].requires_grad:
            found["means2d"].register_hook(lambda gradient: screen.add(gradient[:, 0].to(home)))
        drawn, alpha = drawn[:, 0], alpha[:, 0, ..., 0]
        colour = drawn[..., :3] + (1 - alpha[..., None]) * background.to(drawn)
        images = colour, alpha, drawn[..., -1], None if extras is None else drawn[..., 3:-1]
        return Frame(*(image if image is None else image.to(home) for image in images), screen)
