import numpy as np
import pytest
import torch

from emotag.gaussians.deformer import rest_vertices
from emotag.gaussians.trunk import RIM_SHARE, Trunk, nearest_m, neck_share
from emotag.geometry.rotations import axis_angle_to_matrix


@pytest.fixture
def trunk():
    return Trunk.mean_of(np.array([[0.1, -0.2, 0.0], [0.1, 0.0, 0.1]]), np.array([[0.0, 0.0, -0.6], [0.02, 0.0, -0.7]]))


def posed(local, rotation, translation):
    return local @ axis_angle_to_matrix(rotation).transpose(-1, -2) + translation[:, None]


def test_share_blends_between_the_head_and_the_mean_pose(trunk):
    local = torch.randn(1, 20, 3) * 0.1
    rotation, translation = torch.randn(4, 3) * 0.3, torch.randn(4, 3) * 0.05
    means = posed(local.expand(4, -1, -1), rotation, translation)
    index, matrices = torch.tensor([3, 7, 11]), axis_angle_to_matrix(rotation)
    held = trunk.hold(means, index, torch.tensor([0.0, 0.5, 1.0]), matrices, translation)
    others = [i for i in range(20) if i not in (7, 11)]
    torch.testing.assert_close(held[:, others], means[:, others])
    rest = posed(local, torch.tensor([[0.1, -0.1, 0.05]]), torch.tensor([[0.01, 0.0, -0.65]]))
    torch.testing.assert_close(held[:, 11], rest[:, 11].expand(4, 3), atol=1e-6, rtol=0)
    torch.testing.assert_close(held[:, 7], (means[:, 7] + rest[:, 7]) / 2, atol=1e-6, rtol=0)


def test_nothing_moves_at_the_mean_pose(trunk):
    means = torch.randn(1, 5, 3)
    translation = trunk.translation[None]
    held = trunk.hold(means, torch.arange(5), torch.rand(5), trunk.rotation[None], translation)
    torch.testing.assert_close(held, means, atol=1e-6, rtol=0)


def test_trunk_comes_back_from_its_arrays(trunk):
    again = Trunk.from_arrays(trunk.to_arrays())
    assert torch.equal(again.rotation, trunk.rotation) and torch.equal(again.translation, trunk.translation)


def test_neck_share_rises_from_the_head_to_the_rim(head):
    vertices = rest_vertices(head, torch.zeros(head.shape_size))
    share, neck = neck_share(head, vertices), head.face_regions["neck"]
    height = vertices[head.faces].mean(1)[:, 1]
    assert (share[~neck] == 0).all() and share.max() < RIM_SHARE + 1e-6
    lowest = neck & (height <= height[neck].quantile(0.05))
    assert share[lowest].min() > 0.99 * RIM_SHARE
    touching = neck & (nearest_m(vertices[head.faces].mean(1), vertices[head.faces][~neck].mean(1)) < 0.004)
    assert share[touching].mean() < 0.25 * RIM_SHARE
