"""A corpus as frames in motion space: what the ridge and the network are trained and judged on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import Corpus
from emotag.audio import windows
from emotag.motion.skip import FeatureSpace
from emotag.motion.statistics import MotionStatistics
from emotag.types import FPS


@dataclass(frozen=True)
class Example:
    """One clip of T frames: windows of `components` [T, 16, P] and `prosody` [T, 16, 3], centred `cues` [T, 6],
    `target` [T, C] standardised motion, `emotion` [T, 7] probabilities, `identity` [I] and the `person`."""

    components: Tensor
    prosody: Tensor
    cues: Tensor
    target: Tensor
    emotion: Tensor
    identity: Tensor
    person: str

    def __len__(self) -> int:
        return len(self.target)

    def first(self, seconds: float) -> "Example":
        """The first `seconds` of the clip, or all of it."""
        count = round(seconds * FPS)
        framewise = ("components", "prosody", "cues", "target", "emotion")
        return replace(self, **{name: getattr(self, name)[:count] for name in framewise})


def speech_windows(
    features: np.ndarray, prosody: np.ndarray, frames: np.ndarray, offset_frames: float, cut: str = "between"
) -> tuple[np.ndarray, np.ndarray]:
    """Windows [T, 16, D] and [T, 16, 3] of 50 Hz `features` [K, D] and `prosody` [K, 3] around video `frames` [T].

    `offset_frames` > 0 says the video is late: frame k shows what was heard at (k - offset) / 25 s. `cut` is a name of
    `emotag.audio.windows.WINDOWS`.
    """
    times = windows.frame_times(frames, offset_frames)
    return tuple(windows.WINDOWS[cut](values, times) for values in (features, prosody))


def example_of(corpus: Corpus, clip: str, space: FeatureSpace, statistics: MotionStatistics) -> Example:
    """One clip in the motion space of its person. Projection before windowing is the same and ten times less."""
    with torch.no_grad():
        components = space.components(torch.from_numpy(np.asarray(corpus.features[clip], np.float32)))
        frames = np.arange(len(corpus.motion[clip]))
        spoken, prosody = speech_windows(
            components.numpy(), np.asarray(corpus.prosody[clip]), frames, corpus.offset_frames[clip], space.windows
        )
        arrays = {
            "components": spoken,
            "cues": statistics.cues(corpus.action_units[clip]),
            "target": statistics.standardise(corpus.motion[clip]),
            "emotion": corpus.emotion[clip],
            "identity": corpus.identity[clip],
        }
        tensors = {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}
        prosody = space.prosody(torch.from_numpy(np.asarray(prosody, np.float32)))
        return Example(**tensors, prosody=prosody, person=corpus.people[clip])


def examples_of(
    corpus: Corpus, clips: Sequence[str], space: FeatureSpace, statistics: Mapping[str, MotionStatistics]
) -> list[Example]:
    """`example_of` for several clips; `statistics` by person."""
    return [example_of(corpus, clip, space, statistics[corpus.people[clip]]) for clip in clips]
