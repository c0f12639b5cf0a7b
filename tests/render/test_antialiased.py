"""The compensation of the blur (Mip-Splatting, Yu et al. 2024): opacity times sqrt(determinant before / after)."""

import math

import pytest
import torch

from emotag import render
from emotag.geometry.camera import Camera
from emotag.render.base import Splats
from emotag.render.cpu import CpuRenderer
from emotag.render.reference import TorchRenderer


def distance(a, b):
    return ((a.double() - b).norm() / b.norm().clamp_min(1e-12)).item()


def dot(sigma_m, opacity=0.9):
    """One isotropic Gaussian 1 m ahead, in float64."""
    return Splats(
        torch.tensor([[[0.0, 0.0, -1.0]]], dtype=torch.float64),
        torch.tensor([[[1.0, 0.0, 0.0, 0.0]]], dtype=torch.float64),
        torch.full((1, 1, 3), sigma_m, dtype=torch.float64),
        torch.tensor([[opacity]], dtype=torch.float64),
        torch.zeros(1, 1, 1, 3, dtype=torch.float64),
    )


@pytest.mark.parametrize("sigma_px", [0.3, 1.0, 4.0])
def test_peak_is_the_closed_form(sigma_px):
    camera = Camera(100.0, 100.0, 20.5, 20.5, 41, 41)
    drawn = TorchRenderer(antialiased=True).render(dot(sigma_px / 100), camera)
    assert drawn.alpha.max().item() == pytest.approx(0.9 * sigma_px**2 / (sigma_px**2 + 0.3))


def test_light_does_not_depend_on_the_pixel_grid():
    """Without it a Gaussian of half a pixel covers more than its own area, 2 pi opacity sigma² px²."""
    camera = Camera(100.0, 100.0, 20.5, 20.5, 41, 41)
    areas = [TorchRenderer(on).render(dot(0.005), camera).alpha.sum().item() for on in (True, False)]
    expected = 2 * math.pi * 0.9 * 0.5**2
    # What lies below 1/255 is not drawn.
    assert areas[0] == pytest.approx(expected, rel=0.03)
    assert areas[1] > 2 * expected


@pytest.mark.parametrize("size_m", [0.01, 0.002])
def test_image_and_gradients_are_those_of_the_reference(form, make_scene, camera, draw_with_gradients, size_m):
    splats = make_scene(400, batch=2, size_m=size_m)
    extras = torch.rand(2, 400, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    renderer = CpuRenderer(1, form, antialiased=True)
    frame, gradients = draw_with_gradients(renderer, splats, camera, extras)
    truth, oracle = draw_with_gradients(TorchRenderer(True), splats, camera, extras, torch.float64)
    plain = TorchRenderer().render(splats, camera)
    assert (truth.alpha - plain.alpha).abs().max() > 0.05
    for name in ("colour", "alpha", "depth", "extras"):
        torch.testing.assert_close(getattr(frame, name).double(), getattr(truth, name), atol=1e-5, rtol=0)
    for name, gradient in gradients.items():
        assert distance(gradient, oracle[name]) <= 2e-5, name


def test_lines_have_no_area(form, make_scene, camera, draw_with_gradients):
    """Of rank one, the covariance before the blur has no inverse: nothing is drawn and no gradient is lost to NaN."""
    splats = make_scene(5)
    scales = splats.scales * torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    splats = Splats(splats.means, splats.quaternions, scales, splats.opacities, splats.sh)
    for renderer in (CpuRenderer(1, form, antialiased=True), TorchRenderer(True)):
        frame, gradients = draw_with_gradients(renderer, splats, camera, torch.zeros(1, 5, 1))
        assert not frame.alpha.any()
        assert not any(gradient.any() for gradient in gradients.values())


def test_reference_by_finite_differences(make_scene):
    splats = make_scene(3, size_m=0.02)
    camera = Camera(20.0, 20.0, 3.0, 2.5, 6, 5)
    inputs = [getattr(splats, name).requires_grad_() for name in ("means", "quaternions", "scales", "opacities")]

    def image(*values):
        return TorchRenderer(True).render(Splats(*values, splats.sh), camera).colour

    assert torch.autograd.gradcheck(image, inputs, eps=1e-7, atol=1e-5, rtol=1e-3)


def test_threads_do_not_change_the_bits(form, make_scene, camera, draw_with_gradients):
    splats, extras = make_scene(300, batch=2, size_m=0.003), torch.rand(2, 300, 1)
    results = [draw_with_gradients(CpuRenderer(n, form, antialiased=True), splats, camera, extras) for n in (1, 2)]
    assert torch.equal(results[0][0].colour, results[1][0].colour)
    assert all(torch.equal(a, results[1][1][name]) for name, a in results[0][1].items())


def test_chosen_by_name():
    for name in ("numba", "torch"):
        assert render.load(name, 1, antialiased=True).antialiased
        assert not render.load(name, 1).antialiased
