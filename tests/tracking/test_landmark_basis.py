import pytest
import torch

from emotag.errors import ArtifactMismatch
from emotag.tracking.landmark_basis import build, joint_feature_jacobian, joint_features


@pytest.fixture(scope="module")
def basis(toy_head):
    return build(toy_head, 5)


def random_motion(frames=4):
    generator = torch.Generator().manual_seed(1)
    expression = torch.rand(frames, 8, generator=generator)
    return torch.cat([expression, 0.3 * torch.randn(frames, 9, generator=generator)], 1)


def test_basis_gives_the_models_landmarks(toy_head, basis):
    motion, shape = random_motion(), torch.tensor([1.0, -2, 0.5, 0, 1])
    zero = torch.zeros(4, 3)
    vertices = toy_head.vertices(shape.expand(4, 5), motion[:, :8], motion[:, 8:11], zero, motion[:, 11:], zero, zero)
    found = basis.posed(shape, torch.zeros(478, 3)).points(motion)
    torch.testing.assert_close(found, toy_head.landmarks(vertices), atol=2e-6, rtol=0)


def test_frozen_shape_is_the_same_basis(toy_head, basis):
    motion, shape = random_motion(), torch.tensor([1.0, -2, 0.5, 0, 1])
    frozen = build(toy_head, 0, shape)
    assert frozen.shape_size == 0
    offsets = 1e-3 * torch.ones(478, 3)
    expected = basis.posed(shape, offsets).points(motion)
    torch.testing.assert_close(frozen.posed(torch.zeros(0), offsets).points(motion), expected, atol=2e-6, rtol=0)


def test_jacobians_are_finite_differences(basis):
    motion, shape, offsets = random_motion(2), torch.tensor([0.5, -1, 0.5, 0, 1]), torch.zeros(478, 3)
    posed, step = basis.posed(shape, offsets), 1e-2
    jacobian = posed.jacobian(motion)
    for channel in range(motion.shape[1]):
        ahead, behind = motion.clone(), motion.clone()
        ahead[:, channel] += step
        behind[:, channel] -= step
        slope = (posed.points(ahead) - posed.points(behind)) / (2 * step)
        torch.testing.assert_close(jacobian[..., channel], slope, atol=2e-4, rtol=1e-2)
    by_shape = basis.shape_jacobian(motion)
    for component in range(5):
        moved = shape.clone()
        moved[component] += 1
        change = basis.posed(moved, offsets).points(motion) - posed.points(motion)
        torch.testing.assert_close(by_shape[..., component], change, atol=1e-5, rtol=0)


def test_joint_features_vanish_at_rest():
    assert joint_features(torch.zeros(3)).abs().max() == 0
    assert joint_feature_jacobian(torch.zeros(2, 3)).shape == (2, 15, 3)


def test_head_that_is_not_linear_is_refused(toy_head):
    class Bent(type(toy_head)):
        def vertices(self, shape, expression, *rest):
            return super().vertices(shape, expression**2, *rest)

    with pytest.raises(ArtifactMismatch, match="linear"):
        build(Bent(), 2)
