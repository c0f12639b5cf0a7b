import numpy as np
import pytest
import torch

from emotag.tracking.eye_sockets import eye_sockets


class Sockets:
    """Two eyeballs and a lid before each; the shape's first component pushes the lids back, the second lets eyes grow."""

    shape_size, expression_names = 2, ("eyeBlinkLeft",)

    def __init__(self):
        direction = np.random.default_rng(0).normal(size=(60, 3))
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        direction = np.concatenate([direction, -direction])
        centres = np.array([[0.03, 0, 0.05], [-0.03, 0, 0.05]])
        balls = np.concatenate([centre + 0.012 * direction for centre in centres])
        lids = centres + [0, 0, 0.012 + 0.005]
        self.mean = torch.from_numpy(np.concatenate([balls, lids])).float()
        change = np.zeros((2, len(self.mean), 3))
        change[0, -2:, 2] = -0.001
        change[1, :-2] = np.concatenate([0.001 * direction] * 2)
        self.change = torch.from_numpy(change).float()
        ball = torch.arange(len(self.mean)) < len(balls)
        self.vertex_regions = {"eyeballs": ball, "skin": ball & ~ball, "eyelids": ~ball, "brows": ball & ~ball}

    def vertices(self, shape, *_):
        return self.mean + torch.einsum("bs,svc->bvc", shape, self.change)


@pytest.fixture(scope="module")
def sockets():
    return eye_sockets(Sockets(), 2, 1)


def test_clearance_is_measured_from_the_eyeballs_surface(sockets):
    np.testing.assert_allclose(sockets.rest, 0.005, atol=1e-5)
    np.testing.assert_allclose(sockets.slope, [[-0.001, -0.001]] * 2, atol=1e-5)


def test_free_lids_cost_nothing_and_sunken_ones_do(sockets):
    assert sockets.cost(np.array([2.0, -1.0])) == 0
    # Pushed back by 4 mm of the 5, where 3 are wanted: each of two lids lacks 2 mm.
    assert sockets.cost(np.array([4.0, 0.0])) == pytest.approx(sockets.weight * 0.002**2, rel=0.02)
    assert sockets.cost(np.array([2.0, 2.0])) > 0


def test_normal_equations_are_those_of_the_cost(sockets):
    shape, direction = np.array([3.5, 0.4]), np.array([0.3, -0.2])
    matrix, gradient = sockets.normal(shape)
    slope = (sockets.cost(shape + 1e-4 * direction) - sockets.cost(shape - 1e-4 * direction)) / 2e-4
    assert gradient @ direction == pytest.approx(slope, rel=1e-4)
    bend = sockets.cost(shape + direction) - 2 * sockets.cost(shape) + sockets.cost(shape - direction)
    assert direction @ matrix @ direction == pytest.approx(bend, rel=1e-4)
