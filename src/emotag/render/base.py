"""What a renderer draws and what it gives back."""

from dataclasses import dataclass, fields
from typing import Protocol

from torch import Tensor

from emotag.geometry.camera import Camera


@dataclass(frozen=True)
class Splats:
    """Gaussians in the camera's frame, all with leading batch dimension B (frames).

    `means` [B, N, 3] m, `quaternions` [B, N, 4] (w, x, y, z), `scales` [B, N, 3] m (> 0), `opacities` [B, N] 0 to 1,
    `sh` [B or 1, N, K, 3] spherical harmonics coefficients (K = 1, 4, 9 or 16; colour = 0.5 + C0 sh[0] + …,
    clamped at 0).
    `orientation` [B, 3, 3]: rotation from the frame in which `sh` is given to the camera's (None: they are the same).
    With the head's rotation, colours depend on the side from which the head is seen. It gets no gradient.
    """

    means: Tensor
    quaternions: Tensor
    scales: Tensor
    opacities: Tensor
    sh: Tensor
    orientation: Tensor | None = None

    def to(self, device: str) -> "Splats":
        """The same Gaussians on `device`."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return Splats(**{name: tensor if tensor is None else tensor.to(device) for name, tensor in tensors.items()})


@dataclass(frozen=True)
class Frame:
    """`colour` [B, H, W, 3] premultiplied over the background, `alpha` [B, H, W], `depth` [B, H, W] expected depth in m
    (sum of weight times depth over alpha; 0 where alpha is 0), `extras` [B, H, W, D] blended like colour, or None."""

    colour: Tensor
    alpha: Tensor
    depth: Tensor
    extras: Tensor | None = None


class Renderer(Protocol):
    """A back end: cpu (fast; named after its kernels), torch (reference) or gsplat (CUDA)."""

    name: str

    def render(
        self,
        splats: Splats,
        camera: Camera,
        background: Tensor | None = None,
        extras: Tensor | None = None,
    ) -> Frame:
        """Draw B frames of H x W. `background` [3], [H, W, 3] or [B, H, W, 3] (black if None); `extras` [B, N, D]."""
        ...
