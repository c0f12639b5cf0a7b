"""PSNR by its closed form, SSIM against scikit-image."""

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from emotag.metrics.image import image_scores, psnr, squared_error, ssim_map


@pytest.fixture
def pair():
    rng = np.random.default_rng(0)
    truth = rng.integers(40, 200, (48, 56, 3)).astype(np.uint8)
    return truth, (truth + rng.integers(0, 20, truth.shape)).astype(np.uint8)


def test_psnr_of_a_constant_difference():
    truth = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(squared_error(truth, truth + 51)) == pytest.approx(-20 * np.log10(0.2))


def test_psnr_counts_the_mask_alone(pair):
    truth, image = pair
    mask = np.zeros(truth.shape[:2], bool)
    mask[10:20, 10:20] = True
    spoilt = np.where(mask[..., None], image, 0).astype(np.uint8)
    assert psnr(squared_error(truth, spoilt), mask) == psnr(squared_error(truth, image), mask)
    assert np.isnan(psnr(squared_error(truth, image), np.zeros_like(mask)))
    assert psnr(squared_error(truth, truth)) == np.inf


def test_ssim_agrees_with_scikit_image(pair):
    luma = [np.asarray(p, np.float32) / 255 @ np.array([0.299, 0.587, 0.114], np.float32) for p in pair]
    _, expected = structural_similarity(
        *luma, data_range=1, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, full=True
    )
    np.testing.assert_allclose(ssim_map(*pair), expected, atol=1e-4)


def test_scores_of_equal_pictures(pair):
    truth, _ = pair
    scores = image_scores(truth, truth, np.ones(truth.shape[:2], bool))
    assert scores["ssim_head"] == pytest.approx(1) and scores["psnr_full"] == np.inf
