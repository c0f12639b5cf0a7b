"""PSNR and SSIM of decoded frames, over the whole picture and over the head alone."""

import cv2
import numpy as np

LUMA = np.array([[0.299, 0.587, 0.114]], np.float32) / 255
WINDOW, SIGMA = (11, 11), 1.5
C1, C2 = 0.01**2, 0.03**2


def squared_error(truth: np.ndarray, image: np.ndarray) -> np.ndarray:
    """Sum over RGB of the squared difference of levels 0 to 255 at every pixel: [H, W, 3] uint8 twice to [H, W] int32."""
    difference = truth.astype(np.int32) - image
    return np.einsum("hwc,hwc->hw", difference, difference)


def psnr(squares: np.ndarray, mask: np.ndarray | None = None) -> float:
    """-10 log10 of the mean squared error over RGB 0..1.

    Args:
        squares: [H, W], `squared_error` of two pictures.
        mask: [H, W] bool, the pixels that count (all if None).

    Returns:
        dB; infinity for equal pixels, NaN where the mask is empty.
    """
    chosen = squares if mask is None else squares[mask]
    if chosen.size == 0:
        return float("nan")
    error = float(chosen.mean(dtype=np.float64)) / (3 * 255**2)
    return float("inf") if error == 0 else -10 * float(np.log10(error))


def luma(frame: np.ndarray) -> np.ndarray:
    """Rec. 601 luma 0..1 of a frame: [H, W, 3] uint8 to [H, W] float32."""
    return cv2.transform(frame.astype(np.float32), LUMA)


def ssim_map(truth: np.ndarray, image: np.ndarray) -> np.ndarray:
    """SSIM of the luma at every pixel (Wang et al. 2004): [H, W, 3] uint8 twice to [H, W]."""
    x, y = luma(truth), luma(image)

    def blur(a: np.ndarray) -> np.ndarray:
        return cv2.GaussianBlur(a, WINDOW, SIGMA, borderType=cv2.BORDER_REFLECT)

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    return ((2 * mx * my + C1) * (2 * cov + C2)) / ((mx * mx + my * my + C1) * (vx + vy + C2))


def image_scores(truth: np.ndarray, image: np.ndarray, head: np.ndarray) -> dict[str, float]:
    """The four image metrics of one frame, by name; `head` [H, W] bool."""
    similarity, squares = ssim_map(truth, image), squared_error(truth, image)
    return {
        "psnr_head": psnr(squares, head),
        "psnr_full": psnr(squares),
        "ssim_head": float(similarity[head].mean()) if head.any() else float("nan"),
        "ssim_full": float(similarity.mean()),
    }
