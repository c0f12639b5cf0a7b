"""Normals of Gaussians: the fused kernel against torch, and the side they face."""

import torch

from emotag.render.base import Splats
from emotag.training.facing import facing_normals


def splats(dtype):
    random = torch.Generator().manual_seed(0)
    means = torch.randn(2, 50, 3, generator=random, dtype=torch.float64)
    quaternions = 3 * torch.randn(2, 50, 4, generator=random, dtype=torch.float64)
    quaternions[0, 0] = torch.tensor([1.0, 0.0, 0.0, 0.0])
    leaves = [tensor.to(dtype).requires_grad_() for tensor in (means, quaternions)]
    return Splats(*leaves, torch.ones(2, 50, 3), torch.ones(2, 50), torch.zeros(1, 50, 1, 3))


def test_unit_vectors_that_face_the_camera():
    scene = splats(torch.float32)
    normals = facing_normals(scene)
    torch.testing.assert_close(normals.norm(dim=-1), torch.ones(2, 50))
    assert ((normals * scene.means).sum(-1) <= 0).all()
    # An unturned Gaussian is thin along y.
    assert normals[0, 0].abs().tolist() == [0.0, 1.0, 0.0]


def test_fused_kernel_is_torchs():
    weight = torch.randn(2, 50, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = []
    for dtype in (torch.float64, torch.float32):
        scene = splats(dtype)
        normals = facing_normals(scene)
        (weight.to(dtype) * normals).sum().backward()
        found.append((normals.detach().double(), scene.quaternions.grad.double()))
    for truth, fused in zip(*found, strict=True):
        torch.testing.assert_close(fused, truth, rtol=1e-5, atol=1e-6)
