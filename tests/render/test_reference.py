import math

import numpy as np
import pytest
import torch

from emotag.geometry.camera import Camera
from emotag.render.base import Splats
from emotag.render.projection import project
from emotag.render.reference import TorchRenderer
from emotag.render.sh import C0, basis


def on_axis(depths, opacities, colours, sigma=0.01):
    """Isotropic Gaussians on the optical axis, in float64."""
    count = len(depths)
    means = torch.tensor([[0.0, 0.0, -depth] for depth in depths], dtype=torch.float64)[None]
    quaternions = torch.tensor([1.0, 0.0, 0.0, 0.0], dtype=torch.float64).expand(1, count, 4)
    scales = torch.full((1, count, 3), sigma, dtype=torch.float64)
    sh = (torch.tensor(colours, dtype=torch.float64)[None, :, None] - 0.5) / C0
    return Splats(means, quaternions, scales, torch.tensor([opacities], dtype=torch.float64), sh)


CAMERA = Camera(100.0, 100.0, 5.5, 5.5, 11, 11)


def test_one_gaussian_is_the_closed_form():
    frame = TorchRenderer().render(on_axis([2.0], [0.6], [[1.0, 0.5, 0.25]]), CAMERA)
    offsets = torch.arange(11, dtype=torch.float64) - 5
    squared = offsets[:, None] ** 2 + offsets[None] ** 2
    alpha = 0.6 * torch.exp(-0.5 * squared / ((0.01 * 100 / 2) ** 2 + 0.3))
    alpha[alpha < 1 / 255] = 0
    torch.testing.assert_close(frame.alpha[0], alpha)
    torch.testing.assert_close(frame.colour[0, ..., 1], 0.5 * alpha)
    torch.testing.assert_close(frame.depth[0], torch.where(alpha > 0, 2.0, 0.0).double())


def test_two_gaussians_blend_front_to_back_in_any_order():
    background = torch.tensor([0.1, 0.2, 0.3], dtype=torch.float64)
    for order in ([0, 1], [1, 0]):
        depths, opacities = [[1.0, 3.0][i] for i in order], [[0.5, 0.8][i] for i in order]
        colours = [[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]][i] for i in order]
        frame = TorchRenderer().render(on_axis(depths, opacities, colours), CAMERA, background)
        front, back = 0.5, 0.5 * 0.8
        rest = 1 - front - back
        expected = torch.tensor([front + 0.1 * rest, back + 0.2 * rest, 0.3 * rest], dtype=torch.float64)
        torch.testing.assert_close(frame.colour[0, 5, 5], expected)
        assert frame.depth[0, 5, 5].item() == pytest.approx((front + 3 * back) / (front + back))


def test_gaussian_that_would_close_the_pixel_is_left_out():
    frame = TorchRenderer().render(on_axis([1.0, 2.0, 3.0], [1.0, 0.95, 0.5], [[1.0] * 3] * 3), CAMERA)
    # 0.999 leaves 1e-3; 0.95 would leave 5e-5, below 1e-4, so it and all behind it are dropped.
    assert frame.alpha[0, 5, 5].item() == pytest.approx(0.999)


def test_projected_covariance_is_that_of_projected_samples():
    random = np.random.default_rng(0)
    camera = Camera(500.0, 450.0, 60.0, 40.0, 128, 96)
    quaternion = torch.tensor([0.4, -0.3, 0.7, 0.5], dtype=torch.float64)
    scale = torch.tensor([0.003, 0.001, 0.002], dtype=torch.float64)
    mean = torch.tensor([0.05, -0.03, -1.0], dtype=torch.float64)
    splats = Splats(
        mean[None, None], quaternion[None, None], scale[None, None], torch.ones(1, 1), torch.zeros(1, 1, 1, 3)
    )
    from emotag.geometry.rotations import quaternion_to_matrix

    samples = torch.from_numpy(random.standard_normal((200_000, 3))) * scale
    pixels = camera.project(mean + samples @ quaternion_to_matrix(quaternion).T)
    projected = project(splats, camera.shared())
    a, b, c = projected.conics[0, 0].tolist()
    covariance = np.linalg.inv(np.array([[a, b], [b, c]])) - 0.3 * np.eye(2)
    np.testing.assert_allclose(np.cov(pixels.numpy().T), covariance, rtol=0.02, atol=0.01)


def test_harmonics_are_orthonormal():
    nodes, weights = np.polynomial.legendre.leggauss(8)
    azimuth = np.arange(16) * 2 * math.pi / 16
    z, phi = np.meshgrid(nodes, azimuth, indexing="ij")
    ring = np.sqrt(1 - z**2)
    directions = torch.from_numpy(np.stack([ring * np.cos(phi), ring * np.sin(phi), z], -1).reshape(-1, 3))
    values = basis(directions, 16).numpy()
    area = np.repeat(weights, 16) * 2 * math.pi / 16
    np.testing.assert_allclose(values.T @ (area[:, None] * values), np.eye(16), atol=1e-12)


def test_gradients_are_finite_differences(make_scene):
    splats = make_scene(4, coefficients=9, size_m=0.04)
    camera = Camera(20.0, 20.0, 3.0, 2.5, 6, 5)

    def images(means, quaternions, scales, opacities, sh):
        frame = TorchRenderer().render(Splats(means, quaternions, scales, opacities, sh), camera)
        return frame.colour, frame.alpha, frame.depth

    inputs = [getattr(splats, name).requires_grad_() for name in ("means", "quaternions", "scales", "opacities", "sh")]
    assert torch.autograd.gradcheck(images, inputs, eps=1e-7, atol=1e-5, rtol=1e-3)


def test_orientation_turns_the_harmonics_with_the_head(make_scene):
    """A head and its camera turned together look the same only if the harmonics turn too."""
    from emotag.render.sh import colours

    splats = make_scene(20, coefficients=16)
    turn = torch.linalg.qr(torch.randn(3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(1)))[0]
    turn = turn * torch.det(turn).sign()
    turned = colours(splats.sh, splats.means @ turn.T, turn[None])
    torch.testing.assert_close(turned, colours(splats.sh, splats.means))
