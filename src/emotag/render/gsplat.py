"""The `gsplat` back end: NVIDIA's CUDA rasteriser (Ye et al. 2024), fed with our colours and our camera."""

import torch
from torch import Tensor

from emotag.errors import AssetMissing
from emotag.geometry.camera import Camera
from emotag.geometry.rotations import quaternion_product
from emotag.render.base import Frame, Renderer, Splats
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


def intrinsics(camera: Camera, like: Tensor) -> Tensor:
    """[3, 3] matrix of the camera, of the type of `like`."""
    rows = [[camera.fx, 0.0, camera.cx], [0.0, camera.fy, camera.cy], [0.0, 0.0, 1.0]]
    return torch.tensor(rows, dtype=like.dtype, device=like.device)


class GsplatRenderer(Renderer):
    """gsplat on CUDA; all tensors are taken to the GPU where they are not there yet.

    Raises:
        AssetMissing: there is no CUDA device or no gsplat.
    """

    name = "gsplat"

    def __init__(self) -> None:
        reason = available()
        if reason:
            raise AssetMissing(
                f"render backend gsplat: {reason}; expected an NVIDIA GPU, a CUDA build of torch and gsplat 1.5.3 or "
                "later (prebuilt: conda install -c conda-forge gsplat; where nvcc is: pip install gsplat); or choose "
                "backend cpu"
            )
        from gsplat import rasterization

        self._rasterization = rasterization

    def _draw(self, splats: Splats, camera: Camera, background: Tensor, extras: Tensor | None) -> Frame:
        splats = splats.to("cuda")
        means, quaternions = to_gsplat(splats)
        values = colours(splats.sh, splats.means, splats.orientation)
        if extras is not None:
            values = torch.cat([values, extras.to(values)], -1)
        frames = means.shape[0]
        identity = torch.eye(4, dtype=means.dtype, device=means.device).expand(frames, 1, 4, 4)
        drawn, alpha, _ = self._rasterization(
            means=means,
            quats=quaternions,
            scales=splats.scales,
            opacities=splats.opacities,
            colors=values[:, None],
            viewmats=identity.contiguous(),
            Ks=intrinsics(camera, means).expand(frames, 1, 3, 3).contiguous(),
            width=camera.width,
            height=camera.height,
            near_plane=NEAR_M,
            eps2d=EPS_2D,
            packed=False,
            render_mode="RGB+ED",
        )
        drawn, alpha = drawn[:, 0], alpha[:, 0, ..., 0]
        colour = drawn[..., :3] + (1 - alpha[..., None]) * background.to(drawn)
        return Frame(colour, alpha, drawn[..., -1], None if extras is None else drawn[..., 3:-1])
