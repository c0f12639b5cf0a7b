"""Emotions set by the user, as a course over the frames of a drive."""

from collections.abc import Sequence

import numpy as np
import torch
from scipy.ndimage import gaussian_filter1d
from torch import Tensor

from emotag.moods import MoodConfig
from emotag.types import EMOTIONS, FPS, NEUTRAL

# Deviation of the Gaussian that blends moods: nine tenths of a change take half a second.
FADE_S = 0.15


def strengths(timeline: Sequence[MoodConfig], frames: int) -> Tensor | None:
    """Strength [T, 7] 0 to 1 of each class (neutral's is 0), blended where moods change; before the first mood the face is
    neutral. None where no mood is set."""
    if not timeline:
        return None
    course = np.zeros((frames, len(EMOTIONS)), np.float32)
    starts = [round(mood.from_s * FPS) for mood in timeline] + [frames]
    for mood, start, stop in zip(timeline, starts, starts[1:], strict=False):
        course[start:stop, EMOTIONS.index(mood.label)] = mood.strength
    course[:, NEUTRAL] = 0.0
    return torch.from_numpy(gaussian_filter1d(course, FADE_S * FPS, axis=0, mode="nearest"))
