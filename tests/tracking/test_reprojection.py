import numpy as np
import pytest
import torch

from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.tracking.contacts import SPAN_PAIRS
from emotag.tracking.landmark_basis import build
from emotag.tracking.reprojection import POSE, Observations, cost, left_jacobian, normal_equations, project, skew

CAMERA = Camera(400, 420, 100, 110, 200, 220)


@pytest.fixture(scope="module")
def scene(toy_head):
    basis = build(toy_head, 5)
    generator = torch.Generator().manual_seed(2)
    state = torch.zeros(3, POSE + 17)
    state[:, :3] = 0.2 * torch.randn(3, 3, generator=generator)
    state[:, 3:POSE] = torch.tensor([0.01, -0.02, -0.6])
    state[:, POSE : POSE + 8] = 0.3 * torch.rand(3, 8, generator=generator)
    shape = torch.tensor([1.0, 0, -1, 0.5, 0])
    local = basis.posed(shape, torch.zeros(478, 3)).points(state[:, POSE:])
    points = project(local, state, CAMERA) + 2 * torch.randn(3, 478, 2, generator=generator)
    weights = torch.rand(3, 478, generator=generator)
    pairs = torch.tensor(SPAN_PAIRS)
    observations = Observations(points, weights, pairs, torch.ones(3, len(pairs)), np.ones(2, bool), 0.5, CAMERA, 3.0)
    return basis, observations, state, shape


def test_left_jacobian_turns_small_changes_into_rotations():
    w, d = torch.tensor([0.4, -0.8, 0.3]).double(), torch.tensor([0.2, 0.1, -0.5]).double()
    step = 1e-6
    change = (axis_angle_to_matrix(w + step * d) - axis_angle_to_matrix(w - step * d)) / (2 * step)
    expected = skew(left_jacobian(w) @ d) @ axis_angle_to_matrix(w)
    torch.testing.assert_close(change, expected, atol=1e-8, rtol=1e-6)


def test_projection_is_the_cameras(scene):
    basis, _, state, shape = scene
    local = basis.posed(shape, torch.zeros(478, 3)).points(state[:, POSE:])
    posed = local @ axis_angle_to_matrix(state[:, :3]).mT + state[:, None, 3:POSE]
    torch.testing.assert_close(project(local, state, CAMERA), CAMERA.project(posed))


def test_gradients_are_those_of_the_robust_cost(scene):
    basis, observations, state, shape = scene
    none = torch.zeros(478, 3)
    normal = normal_equations(observations, basis, shape, none, state, True)

    def at(new_state, new_shape):
        return cost(observations, basis.posed(new_shape, none).points(new_state[:, POSE:]), new_state)

    assert normal.cost == pytest.approx(at(state, shape), rel=1e-5)
    generator = torch.Generator().manual_seed(5)
    for _ in range(3):
        direction = torch.randn(state.shape, generator=generator) * 1e-3
        direction[:, 3:POSE] *= 0.1
        towards = torch.randn(5, generator=generator) * 1e-2
        slope = (at(state + direction, shape + towards) - at(state - direction, shape - towards)) / 2
        expected = (normal.gradient * direction.numpy()).sum() + (normal.shape_gradient * towards.numpy()).sum()
        assert slope == pytest.approx(expected, rel=0.03, abs=0.5)


def test_unused_frames_say_nothing(scene):
    basis, observations, state, shape = scene
    weights, spans = observations.weights.clone(), observations.pair_weights.clone()
    weights[1], spans[1] = 0, 0
    empty = Observations(**{**observations.__dict__, "weights": weights, "pair_weights": spans})
    normal = normal_equations(empty, basis, shape, torch.zeros(478, 3), state, False)
    assert np.all(normal.gradient[1] == 0) and np.all(normal.blocks[1] == 0)


def test_a_head_behind_the_camera_is_no_solution(scene):
    basis, observations, state, shape = scene
    behind = state.clone()
    behind[:, 5] = 0.2
    local = basis.posed(shape, torch.zeros(478, 3)).points(behind[:, POSE:])
    assert cost(observations, local, behind) == float("inf")
