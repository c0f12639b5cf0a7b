"""Geometry losses: invariance to what a prior cannot know, and that they do fire."""

import pytest
import torch
from torch.nn.functional import adaptive_avg_pool2d

from emotag.training.geometry_loss import depth_loss, normal_loss, pooled


def maps():
    generator = torch.Generator().manual_seed(0)
    return torch.rand(2, 16, 16, generator=generator), torch.ones(2, 16, 16, dtype=torch.bool)


def test_depth_ignores_scale_and_shift():
    depth, valid = maps()
    assert depth_loss(3 * depth - 1, depth, valid) < 1e-5


def test_depth_fires_and_has_a_gradient():
    depth, valid = maps()
    wrong = depth.flip(1).requires_grad_()
    loss = depth_loss(wrong, depth, valid)
    loss.backward()
    assert loss > 0.5 and wrong.grad.abs().sum() > 0


def test_pixels_outside_the_mask_do_not_count():
    depth, valid = maps()
    valid[:, :, 8:] = False
    spoilt = depth.clone()
    spoilt[:, :, 8:] = 100
    assert depth_loss(spoilt, depth, valid) < 1e-5
    assert depth_loss(spoilt, depth, torch.zeros_like(valid)) == 0


def test_normals_by_angle():
    up = torch.tensor([0.0, 0, 1]).expand(1, 4, 4, 3)
    tilted = torch.tensor([0.0, 0.5**0.5, 0.5**0.5]).expand(1, 4, 4, 3)
    valid = torch.ones(1, 4, 4, dtype=torch.bool)
    assert normal_loss(up, up, valid) < 1e-6
    torch.testing.assert_close(normal_loss(0.3 * tilted, up, valid), torch.tensor(1 - 0.5**0.5), rtol=0, atol=1e-4)


def test_pooling_is_a_block_mean():
    image = torch.arange(16.0).reshape(1, 4, 4, 1)
    assert pooled(image, 2, 2)[0, 0, 0, 0] == (0 + 1 + 4 + 5) / 4


@pytest.mark.parametrize(("height", "width"), [(4, 6), (5, 6)])
def test_fused_pooling_is_the_one_of_torch(height, width):
    """Also where blocks are not alike, and torch does it."""
    image = torch.rand(2, 8, 12, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    weight = torch.rand(2, height, width, 3, generator=torch.Generator().manual_seed(1))
    expected = adaptive_avg_pool2d(image.permute(0, 3, 1, 2), (height, width)).permute(0, 2, 3, 1)
    found = pooled(image, height, width)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad((weight * drawn).sum(), image)[0] for drawn in (found, expected)]
    torch.testing.assert_close(*gradients)
