import cv2
import numpy as np
import pytest
import torch

from emotag.geometry.camera import Camera
from emotag.tracking.band_pass import band_pass
from emotag.tracking.landmark_basis import build, vertices_of
from emotag.tracking.photometric import Photometric, project_points, sampled
from emotag.tracking.reprojection import POSE

CAMERA = Camera(256, 250, 64, 60, 128, 128)


@pytest.fixture(scope="module")
def scene(toy_head):
    random = np.random.default_rng(1)
    coarse = random.uniform(0, 255, (3, 16, 16, 3)).astype(np.uint8)
    # Smooth pictures: the slope of bilinear values jumps from pixel to pixel.
    smooth = [cv2.GaussianBlur(picture.repeat(8, 0).repeat(8, 1), (0, 0), 4) for picture in coarse]
    pictures = np.stack([band_pass(picture, 128) for picture in smooth])
    index = torch.arange(0, 470, 3)
    surface = build(toy_head, 0, torch.zeros(5), points=vertices_of(index))
    surface = surface.posed(torch.zeros(0), torch.zeros(len(index), 3))
    generator = torch.Generator().manual_seed(2)
    state = torch.zeros(3, POSE + 17)
    state[:, :3] = 0.2 * torch.randn(3, 3, generator=generator)
    state[:, 3:POSE] = torch.tensor([0.01, -0.02, -0.6])
    state[:, POSE : POSE + 8] = 0.3 * torch.rand(3, 8, generator=generator)
    state[:, POSE + 8] = 0.1
    expected = random.normal(0, 0.1, (3, len(index)))
    deviation, weights = random.uniform(0.01, 0.05, len(index)), random.uniform(0, 2, (3, len(index)))
    return Photometric(surface, pictures, CAMERA, expected, deviation, weights, 2.0), state


def normal(term, state):
    size = state.shape[1]
    blocks, gradient = np.zeros((len(state), size, size)), np.zeros((len(state), size))
    term.add_to(state, blocks, gradient)
    return blocks, gradient


def test_points_are_the_heads_vertices(toy_head, scene):
    term, state = scene
    zero = torch.zeros(3, 3)
    motion = state[:, POSE:]
    vertices = toy_head.vertices(
        torch.zeros(3, 5), motion[:, :8], motion[:, 8:11], zero, motion[:, 11:], state[:, :3], state[:, 3:POSE]
    )
    expected = CAMERA.project(vertices[:, 0:470:3])
    torch.testing.assert_close(project_points(term.points, state, CAMERA), expected, atol=1e-3, rtol=0)


def test_gradient_is_that_of_the_robust_cost(scene):
    term, state = scene
    _, gradient = normal(term, state)
    scale = torch.cat([torch.full((3,), 2e-4), torch.full((3,), 5e-5), torch.full((17,), 1e-3)])
    generator = torch.Generator().manual_seed(5)
    for _ in range(4):
        direction = torch.randn(state.shape, generator=generator) * scale
        slope = (term.cost(state + direction) - term.cost(state - direction)) / 2
        expected = (gradient * direction.double().numpy()).sum()
        assert slope == pytest.approx(expected, rel=0.1, abs=2e-3 * np.abs(gradient * scale.numpy()).sum())


def test_every_columns_derivative_is_a_finite_difference(scene):
    term, state = scene
    rows, _ = term._rows(state, slice(None))
    for column in range(state.shape[1]):
        step = 2e-4 if column < POSE else 1e-3
        ahead, behind = state.clone(), state.clone()
        ahead[:, column] += step
        behind[:, column] -= step
        values = [sampled(term.pictures, project_points(term.points, s, CAMERA))[0] for s in (ahead, behind)]
        slope, found = (values[0] - values[1]) / (2 * step), rows[..., column].numpy()
        size = np.abs(slope).mean()
        assert np.median(np.abs(slope - found)) <= 0.02 * size + 1e-6


def test_blocks_are_those_of_gauss_newton(scene):
    term, state = scene
    blocks, _ = normal(term, state)
    np.testing.assert_allclose(blocks, blocks.transpose(0, 2, 1), rtol=1e-4, atol=1e-4 * np.abs(blocks).max())
    assert np.linalg.eigvalsh(blocks).min() > -1e-5 * np.abs(blocks).max()


def test_points_of_no_weight_say_nothing(scene):
    term, state = scene
    weights = term.weights.copy()
    weights[1] = 0
    blocks, gradient = normal(Photometric(**{**term.__dict__, "weights": weights}), state)
    assert np.all(blocks[1] == 0) and np.all(gradient[1] == 0) and np.any(gradient[0] != 0)
