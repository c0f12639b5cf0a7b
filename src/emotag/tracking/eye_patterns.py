"""How open the eyes are by the pictures: how much of the open eye's usual pattern is there.

Landmark detectors lag in blinks: they leave eyes open by three quarters in frames that show nothing but lid. Between the
corners of an open eye there is a strong pattern of white and iris; its share in a frame tells a shut eye.
"""

import cv2
import numpy as np

from emotag.tracking.band_pass import LUMA
from emotag.tracking.contacts import CLOSED_SHARE, OPEN_SHARE
from emotag.tracking.vertex_colours import bilinear

CORNERS = ((33, 133), (362, 263))  # right and left eye, from left to right in the picture
# Places in the eye's frame: along the line of its corners and across it, in its width.
ALONG, ACROSS = np.linspace(0.1, 0.9, 17), np.linspace(-0.3, 0.3, 13)
BLUR = 0.04  # of the eye's width
FAINT = 0.02  # of luma: a pattern of less contrast tells nothing
# Between what the clip's shut eyes show and the usual pattern: how far up an eye is shut, and where it is not.
SHUT_SHARE, LEFT_SHARE = 0.18, 0.3
CLEAR = 0.35  # shut eyes that show more than this of the usual pattern do not differ enough (glasses, dark eyes)
NARROWED = 0.85  # of the usual gap; the pictures are asked only where the detector sees the lids move


def eye_patches(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Luma [2, K] between the corners of both eyes, of an RGB picture [H, W, 3] uint8 with its landmarks [478, 2 or 3] px."""
    luma, patches = (picture @ LUMA) / 255, []
    for first, second in CORNERS:
        left, along = points[first, :2], points[second, :2] - points[first, :2]
        across = np.array([-along[1], along[0]])
        u, v = np.meshgrid(ALONG, ACROSS)
        places = left + u.reshape(-1, 1) * along + v.reshape(-1, 1) * across
        soft = cv2.GaussianBlur(luma, (0, 0), max(BLUR * float(np.linalg.norm(along)), 0.3))
        patches.append(bilinear(soft[..., None], places)[:, 0])
    return np.stack(patches)


def openness(patches: np.ndarray, part: np.ndarray) -> np.ndarray:
    """Share [T, 2] of the usual pattern in `patches` [T, 2, K]: 1 as usual, about 0 with lids shut (less where lids are
    lit from above). What is usual is learnt from the frames `part`; an eye without a pattern counts as open."""
    usual = np.median(patches[part], axis=0)
    usual = usual - usual.mean(-1, keepdims=True)
    there = patches - patches.mean(-1, keepdims=True)
    share = (there * usual).sum(-1) / np.maximum((usual**2).sum(-1), 1e-9)
    return np.where(usual.std(-1) > FAINT, share, 1.0)


def shut_share(openness: np.ndarray, gaps: np.ndarray) -> np.ndarray:
    """How shut the eyes are [T], 0 to 1, by the mean `openness` [T, 2] of both eyes, where their gaps [T, 2] (in shares of the
    usual ones) are narrowed.

    What shut eyes look like is learnt from the frames in which the detector finds them closed; 0 everywhere if there are
    none, or if they look too much like open ones.
    """
    there = openness.mean(1)
    closed = (gaps.min(1) <= CLOSED_SHARE) & (gaps.max(1) <= OPEN_SHARE)
    level = float(np.median(there[closed])) if closed.any() else 1.0
    if level > CLEAR:
        return np.zeros(len(there))
    share = (there - level) / (1 - level)
    shut = np.clip((LEFT_SHARE - share) / (LEFT_SHARE - SHUT_SHARE), 0, 1)
    return np.where((gaps < NARROWED).all(1), shut, 0.0)
