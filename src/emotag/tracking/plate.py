"""The plate: what stands behind the head, so that no pixel of the real head can show through.

A frame's plate is made of pixels outside the dilated head alone: its own pixels there, and inside it the median over time
of what other frames show, outside their heads, at the same place. What no frame shows is filled from around, coarse to
fine (push-pull). The border is feathered outwards.
"""

from collections.abc import Iterable, Iterator

import cv2
import numpy as np

from emotag.tracking.regions import head_mask

SAMPLED_FRAMES = 48
FEATHER_PX = 6
# Labels waver at the collar: what fewer frames than this share leave free there is as often neck as cloth.
SEEN_SHARE = 0.1


def removed(labels: np.ndarray, dilate_px: int) -> np.ndarray:
    """[H, W] bool: head and neck of [H, W] labels, dilated by `dilate_px`."""
    size = 2 * dilate_px + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    return cv2.dilate(head_mask(labels).astype(np.uint8), kernel).astype(bool)


def seen_behind(frames: Iterable[np.ndarray], masks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Median colour [H, W, 3] uint8 of each pixel over the frames whose mask [H, W] leaves it free, and where at least
    `SEEN_SHARE` of the frames did."""
    kept, hidden = [], []
    for frame, mask in zip(frames, masks, strict=True):
        kept.append(frame)
        hidden.append(mask)
    stack, covered = np.stack(kept), np.stack(hidden)
    median = np.zeros(stack.shape[1:], np.uint8)
    for top in range(0, len(median), 32):
        band = np.where(covered[:, top : top + 32, :, None], np.nan, stack[:, top : top + 32].astype(np.float32))
        anywhere = ~np.isnan(band[..., 0]).all(0)
        median[top : top + 32][anywhere] = np.nanmedian(band[:, anywhere], 0).round().astype(np.uint8)
    return median, (~covered).mean(0) >= SEEN_SHARE


def push_pull(image: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Fill where `known` [H, W] is False in [H, W, 3] float32 by averages of ever larger neighbourhoods."""
    weight = known.astype(np.float32)
    if min(weight.shape) <= 2 or known.all():
        mean = (image * weight[..., None]).sum((0, 1)) / max(weight.sum(), 1e-6)
        return np.where(known[..., None], image, mean)
    size = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
    small_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(image * weight[..., None], size, interpolation=cv2.INTER_AREA)
    small = small / np.maximum(small_weight, 1e-6)[..., None]
    coarse = push_pull(small.astype(np.float32), small_weight > 0)
    smooth = cv2.GaussianBlur(cv2.resize(coarse, weight.shape[::-1], interpolation=cv2.INTER_LINEAR), (0, 0), 1.0)
    return np.where(known[..., None], image, smooth)


def plate_of(frame: np.ndarray, mask: np.ndarray, behind: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The plate [H, W, 3] uint8 of one frame; its pixels under `mask` [H, W] do not matter."""
    start = np.where(mask[..., None], behind, frame).astype(np.float32)
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 3)
    # Where nothing was seen behind, the fill starts beyond the feathered border, whose pixels are half skin.
    filled = push_pull(start, np.where(mask | (distance < FEATHER_PX), seen, True))
    own = np.clip(distance / FEATHER_PX, 0, 1)[..., None]
    # Just outside the border the frame fades into what lies behind.
    outside = np.where(seen[..., None] & ~mask[..., None], behind, filled)
    plate = np.where(mask[..., None], filled, own * frame + (1 - own) * outside)
    return np.rint(plate).clip(0, 255).astype(np.uint8)


def plate_frames(
    sample: Iterable[tuple[np.ndarray, np.ndarray]], clip: Iterable[tuple[np.ndarray, np.ndarray]], dilate_px: int
) -> Iterator[np.ndarray]:
    """Plates of a clip, from its frames and labels: those of `SAMPLED_FRAMES` of them, and all."""
    frames, labels = zip(*sample, strict=True)
    behind, seen = seen_behind(frames, [removed(label, dilate_px) for label in labels])
    for frame, label in clip:
        yield plate_of(frame, removed(label, dilate_px), behind, seen)
