"""What a renderer draws and what it gives back."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, fields

import torch
from torch import Tensor

from emotag.errors import ConfigError, TrainingDiverged
from emotag.geometry.camera import Camera, Cameras
from emotag.render.sh import COEFFICIENTS


@dataclass(frozen=True)
class Splats:
    """Gaussians in the camera's frame, all with leading batch dimension B (frames).

    `means` [B, N, 3] m, `quaternions` [B, N, 4] (w, x, y, z), `scales` [B, N, 3] m (> 0), `opacities` [B, N] 0 to 1,
    `sh` [B or 1, N, K, 3] spherical harmonics coefficients (K = 1, 4, 9 or 16; colour = 0.5 + C0 sh[0] + …,
    clamped at 0).
    `orientation` [B, 3, 3]: rotation from the frame in which `sh` is given to the camera's (None: they are the same).
    With the head's rotation, colours depend on the side from which the head is seen. It has to be a rotation; its gradient
    is exact for the parameters of one (back ends differ in the part that leads away from rotations).
    """

    means: Tensor
    quaternions: Tensor
    scales: Tensor
    opacities: Tensor
    sh: Tensor
    orientation: Tensor | None = None

    def to(self, device: str, dtype: torch.dtype | None = None) -> "Splats":
        """The same Gaussians on `device`, in another float type if `dtype` is given."""
        tensors = {field.name: getattr(self, field.name) for field in fields(self)}
        return Splats(
            **{name: tensor if tensor is None else tensor.to(device, dtype) for name, tensor in tensors.items()}
        )


class ScreenGradient:
    """Gradients of a loss by the places where Gaussians are drawn, known once its backward pass has run.

    Densification splits or clones the Gaussians whose `norm`, averaged over the frames that see them, is large (Kerbl
    et al. 2023, Sec. 5.2; gsplat's `means2d.grad`). They are in 1/px; for thresholds made for normalised coordinates,
    as those of Kerbl et al., multiply the parts of `vector` by half the image's width and height.
    """

    def __init__(self) -> None:
        self._sum: Tensor | None = None

    def add(self, gradient: Tensor | None) -> None:
        """Of a back end's backward pass: add [B, N, 2]; None where the loss does not depend on any place."""
        if gradient is not None:
            gradient = gradient.detach()
            self._sum = gradient if self._sum is None else self._sum + gradient

    @property
    def vector(self) -> Tensor:
        """[B, N, 2] 1/px, x right, y down: the sum over all backward passes through the frame.

        Raises:
            ConfigError: there was none, or no gradient by the means was asked for.
        """
        if self._sum is None:
            raise ConfigError(
                "screen gradient: no backward pass has reached the Gaussians' means; expected loss.backward() with "
                "means that require a gradient; mend the caller"
            )
        return self._sum

    @property
    def norm(self) -> Tensor:
        """[B, N] 1/px: length of `vector`, per Gaussian and frame."""
        return self.vector.norm(dim=-1)


@dataclass(frozen=True)
class Frame:
    """`colour` [B, H, W, 3] premultiplied over the background, `alpha` [B, H, W], `depth` [B, H, W] expected depth in m
    (sum of weight times depth over alpha; 0 where alpha is 0), `extras` [B, H, W, D] blended like colour, or None.
    `screen`: after a backward pass, the gradient by where each Gaussian is drawn."""

    colour: Tensor
    alpha: Tensor
    depth: Tensor
    extras: Tensor | None = None
    screen: ScreenGradient = field(default_factory=ScreenGradient)


class Renderer(ABC):
    """A back end: cpu (fast; named after its kernels), torch (reference) or gsplat (CUDA).

    `antialiased`: opacities make up for the blur of the projected Gaussians (`Projected.compensation`). A scene is to be
    drawn as it was trained.
    """

    name: str

    def __init__(self, antialiased: bool = False) -> None:
        self.antialiased = antialiased

    def render(
        self,
        splats: Splats,
        camera: Camera | Cameras,
        background: Tensor | None = None,
        extras: Tensor | None = None,
    ) -> Frame:
        """Draw B frames of H x W.

        Args:
            splats: B frames of N Gaussians.
            camera: one for all frames, or a lens a frame, which gets a gradient if it requires one.
            background: [3], [H, W, 3] or [B, H, W, 3]; black if None. It gets no gradient.
            extras: [B, N, D], blended like colour.

        Raises:
            ConfigError: a tensor has the wrong shape.
            TrainingDiverged: a tensor holds NaN or infinity; the message names it.
        """
        cameras = camera.shared() if isinstance(camera, Camera) else camera
        check_inputs(splats, cameras, extras)
        return self._draw(splats, cameras, as_image(background, splats.means, cameras), extras)

    @abstractmethod
    def _draw(self, splats: Splats, cameras: Cameras, background: Tensor, extras: Tensor | None) -> Frame:
        """Draw what has been checked; `background` [1 or B, 1 or H, 1 or W, 3] of the means' type and device."""


def check_inputs(splats: Splats, cameras: Cameras, extras: Tensor | None) -> None:
    """Refuse shapes that do not fit together and values that are not finite.

    Raises:
        ConfigError: a tensor has the wrong shape.
        TrainingDiverged: a tensor holds NaN or infinity; the message names it.
    """
    batch, count = splats.means.shape[:2]
    expected = {
        "means": (splats.means, (batch, count, 3)),
        "quaternions": (splats.quaternions, (batch, count, 4)),
        "scales": (splats.scales, (batch, count, 3)),
        "opacities": (splats.opacities, (batch, count)),
        "sh": (splats.sh, (1 if splats.sh.shape[0] == 1 else batch, count, splats.sh.shape[-2], 3)),
    }
    lens = cameras.lens
    expected["lens"] = (lens, (1 if lens.shape[0] == 1 else batch, 4))
    if extras is not None:
        expected["extras"] = (extras, (batch, count, extras.shape[-1]))
    if splats.orientation is not None:
        expected["orientation"] = (splats.orientation, (batch, 3, 3))
    for name, (tensor, shape) in expected.items():
        if tuple(tensor.shape) != shape:
            raise ConfigError(f"render: {name} has shape {tuple(tensor.shape)}, expected {shape}; mend the caller")
    # One question to the device where all is well. The sum is finite unless an entry is not (or they overflow).
    sums = torch.stack([tensor.detach().sum().to(splats.means) for tensor, _ in expected.values()])
    if not bool(torch.isfinite(sums.sum())):
        for name, (tensor, _) in expected.items():
            check_finite(name, tensor)
    if splats.sh.shape[-2] not in COEFFICIENTS:
        raise ConfigError(
            f"render: sh holds {splats.sh.shape[-2]} coefficients a channel, expected one of {COEFFICIENTS} "
            "(degrees 0 to 3); mend the caller"
        )


def check_finite(name: str, tensor: Tensor) -> None:
    """Refuse NaN and infinity in the tensor that a message calls `name`.

    Raises:
        TrainingDiverged: it holds such values.
    """
    wrong = int((~torch.isfinite(tensor)).sum())
    if wrong:
        raise TrainingDiverged(
            f"render: {name} {tuple(tensor.shape)} holds {wrong} values that are not finite; expected finite "
            "numbers; lower the learning rate or start again from the last good checkpoint"
        )


def as_image(background: Tensor | None, means: Tensor, cameras: Cameras) -> Tensor:
    """Background ([3], [H, W, 3], [1 or B, H, W, 3] or None) as [1 or B, 1 or H, 1 or W, 3] of the type of `means`.

    Raises:
        ConfigError: it has another shape.
        TrainingDiverged: it holds NaN or infinity.
    """
    if background is None:
        return torch.zeros(1, 1, 1, 3, dtype=means.dtype, device=means.device)
    size = (cameras.height, cameras.width, 3)
    allowed = ((3,), size, (1, *size), (means.shape[0], *size))
    if tuple(background.shape) not in allowed:
        raise ConfigError(
            f"render: background has shape {tuple(background.shape)}, expected one of {allowed}; mend the caller"
        )
    background = background.detach().to(dtype=means.dtype, device=means.device)
    check_finite("background", background)
    return background.reshape((1,) * (4 - background.dim()) + tuple(background.shape))
