import numpy as np
import pytest
import torch
from skimage.metrics import structural_similarity

from emotag.errors import ConfigError
from emotag.render.photometric import Photometric, l1_ssim_torch


@pytest.fixture
def pair():
    random = torch.Generator().manual_seed(0)
    image = torch.rand(2, 23, 34, 3, generator=random, dtype=torch.float64)
    target = (image + 0.2 * torch.randn(image.shape, generator=random, dtype=torch.float64)).clamp(0, 1)
    return image, target, torch.rand(2, 23, 34, generator=random, dtype=torch.float64)


@pytest.mark.parametrize("weighted", [False, True])
def test_values_and_gradient_are_those_of_torch(form, pair, weighted):
    image, target, weight = pair
    weight = weight if weighted else None
    fast, slow = image.float().requires_grad_(), image.clone().requires_grad_()
    l1, ssim = Photometric(1, form)(fast, target.float(), None if weight is None else weight.float())
    (0.8 * l1 - 0.2 * ssim).backward()
    true_l1, true_ssim = l1_ssim_torch(slow, target, weight)
    (0.8 * true_l1 - 0.2 * true_ssim).backward()
    assert l1.item() == pytest.approx(true_l1.item(), abs=1e-6)
    assert ssim.item() == pytest.approx(true_ssim.item(), abs=1e-6)
    assert (fast.grad - slow.grad).norm() / slow.grad.norm() <= 2e-6


def test_inside_the_border_it_is_skimage(form, pair):
    """Away from the zero padding, our window is scikit-image's (its radius 5 at sigma 1.5)."""
    image, target, _ = pair
    for b in range(2):
        _, similarity = structural_similarity(
            image[b].numpy(), target[b].numpy(), channel_axis=-1, gaussian_weights=True, sigma=1.5,
            use_sample_covariance=False, data_range=1.0, full=True,
        )  # fmt: skip
        inside = torch.zeros(2, 23, 34)
        inside[b, 5:-5, 5:-5] = 1
        _, ssim = Photometric(1, form)(image.float(), target.float(), inside)
        assert ssim.item() == pytest.approx(np.mean(similarity[5:-5, 5:-5]), abs=1e-5)


def test_torch_version_by_finite_differences(pair):
    image, target, weight = pair
    small = image[:1, :6, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: l1_ssim_torch(x, target[:1, :6, :5], weight[:1, :6, :5]), [small])


def test_equal_images(form, pair):
    image = pair[0].float()
    l1, ssim = Photometric(1, form)(image, image)
    assert l1.item() == 0 and ssim.item() == pytest.approx(1, abs=1e-6)


def test_threads_do_not_change_the_bits(form, pair):
    gradients = []
    for threads in (1, 2):
        image = pair[0].float().requires_grad_()
        l1, ssim = Photometric(threads, form)(image, pair[1].float(), pair[2].float())
        (l1 - ssim).backward()
        gradients.append((l1.detach(), ssim.detach(), image.grad))
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


def test_smaller_than_the_window(form):
    image, target = torch.rand(1, 1, 3, 3), torch.rand(1, 1, 3, 3)
    for fast, slow in zip(
        Photometric(1, form)(image, target), l1_ssim_torch(image.double(), target.double()), strict=True
    ):
        assert fast.item() == pytest.approx(slow.item(), abs=1e-6)


def test_wrong_shapes_are_told(form, pair):
    with pytest.raises(ConfigError, match="weight"):
        Photometric(1, form)(pair[0], pair[1], pair[2][:1])
