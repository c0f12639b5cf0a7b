import pytest
import torch

from emotag.errors import AssetMissing
from emotag.geometry.camera import Camera
from emotag.render import forms, native
from emotag.render.base import Frame, Splats
from emotag.render.cpu import CpuRenderer
from emotag.render.kernels import Kernels

FIELDS = ("means", "quaternions", "scales", "opacities", "sh")


def _form(name: str) -> Kernels:
    if name == "numba":
        return forms.numba()
    try:
        return native.load(name.removeprefix("cpp-"))
    except AssetMissing as error:
        pytest.skip(str(error))


@pytest.fixture(params=["numba", *(f"cpp-{level}" for level in native.LEVELS)])
def form(request) -> Kernels:
    """Each form of the cpu kernels that can be had here."""
    return _form(request.param)


@pytest.fixture
def cpu(form):
    """cpu(threads) -> the renderer with that form's kernels."""
    return lambda threads: CpuRenderer(threads, form)


@pytest.fixture
def make_scene():
    """Random Gaussians around 0.8 m ahead: make_scene(count, batch, coefficients) -> Splats in float64."""

    def make(count: int, batch: int = 1, coefficients: int = 4, seed: int = 0, size_m: float = 0.01) -> Splats:
        random = torch.Generator().manual_seed(seed)

        def normal(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=random, dtype=torch.float64)

        means = normal(batch, count, 3) * 0.1 - torch.tensor([0.0, 0.0, 0.8], dtype=torch.float64)
        scales = torch.exp(0.5 * normal(batch, count, 3)) * size_m
        sh = 0.4 * normal(1, count, coefficients, 3)
        return Splats(means, normal(batch, count, 4), scales, torch.sigmoid(normal(batch, count)), sh)

    return make


@pytest.fixture
def camera() -> Camera:
    """50 x 37 px: neither a multiple of the tile nor square, principal point off the centre."""
    return Camera(150.0, 140.0, 24.3, 19.1, 50, 37)


def _cast(splats: Splats, dtype: torch.dtype) -> Splats:
    # Through float32, so that both sides of a comparison see the same scene.
    tensors = {name: getattr(splats, name).detach().float().to(dtype).requires_grad_() for name in FIELDS}
    turn = splats.orientation
    return Splats(**tensors, orientation=None if turn is None else turn.to(dtype))


@pytest.fixture
def draw_with_gradients():
    """(renderer, splats, camera, extras, dtype) to the frame and the gradients of a random linear function of it."""

    def draw(renderer, splats, camera, extras, dtype=torch.float32) -> tuple[Frame, dict[str, torch.Tensor]]:
        splats = _cast(splats, dtype)
        extras = extras.detach().float().to(dtype).requires_grad_()
        frame = renderer.render(splats, camera, torch.tensor([0.2, 0.5, 0.7]), extras)
        random = torch.Generator().manual_seed(5)
        loss = 0
        for image in (frame.colour, frame.alpha, frame.depth, frame.extras):
            loss = loss + (image * torch.randn(image.shape, generator=random, dtype=torch.float64).to(image)).sum()
        loss.backward()
        gradients = {name: getattr(splats, name).grad for name in FIELDS} | {"extras": extras.grad}
        return frame, gradients

    return draw
