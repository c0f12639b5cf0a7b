"""PSNR and SSIM of decoded frames, over the whole picture and over the head alone."""

import numpy as np
from scipy.ndimage import gaussian_filter

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
WINDOW_SIGMA, WINDOW_TRUNCATE = 1.5, 3.5  # radius 5: the usual 11 x 11 window
C1, C2 = 0.01**2, 0.03**2


def psnr(truth: np.ndarray, image: np.ndarray, mask: np.ndarray | None = None) -> float:
    """-10 log10 of the mean squared error over RGB 0..1.

    Args:
        truth, image: [H, W, 3] uint8.
        mask: [H, W] bool, the pixels that count (all if None).

    Returns:
        dB; infinity for equal pixels, NaN where the mask is empty.
    """
    difference = (truth.astype(np.float32) - image.astype(np.float32)) / 255
    if mask is not None:
        difference = difference[mask]
    if difference.size == 0:
        return float("nan")
    error = float(np.mean(difference.astype(np.float64) ** 2))
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def ssim_map(truth: np.ndarray, image: np.ndarray) -> np.ndarray:
    """SSIM of the luma at every pixel (Wang et al. 2004): [H, W, 3] uint8 twice to [H, W]."""
    x = (truth.astype(np.float32) / 255) @ LUMA
    y = (image.astype(np.float32) / 255) @ LUMA

    def blur(a: np.ndarray) -> np.ndarray:
        return gaussian_filter(a, WINDOW_SIGMA, truncate=WINDOW_TRUNCATE)

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    return ((2 * mx * my + C1) * (2 * cov + C2)) / ((mx * mx + my * my + C1) * (vx + vy + C2))


def image_scores(truth: np.ndarray, image: np.ndarray, head: np.ndarray) -> dict[str, float]:
    """The four image metrics of one frame, by name; `head` [H, W] bool."""
    similarity = ssim_map(truth, image)
    return {
        "psnr_head": psnr(truth, image, head),
        "psnr_full": psnr(truth, image),
        "ssim_head": float(similarity[head].mean()) if head.any() else float("nan"),
        "ssim_full": float(similarity.mean()),
    }
