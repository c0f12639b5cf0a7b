"""A corpus as frames in motion space: what the ridge and the network are trained and judged on.

A corpus may be longer than memory: of each clip only the frames that are asked for are read.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import Array, Corpus
from emotag.audio import windows
from emotag.motion.skip import FeatureSpace
from emotag.motion.statistics import MotionStatistics
from emotag.types import FPS

BLOCK_FRAMES = 60 * FPS
FRAMEWISE = ("components", "prosody", "cues", "target", "emotion")


class Clip(Protocol):
    """Frames of one person that can be read in runs: an `Example`, or a `StoredExample` of any length."""

    person: str

    def __len__(self) -> int:
        """Number of frames."""
        ...

    def read(self, start: int, stop: int) -> "Example":
        """Frames `start` to `stop`, or to the end if that comes before."""
        ...


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

    def read(self, start: int, stop: int) -> "Example":
        """Frames `start` to `stop`, or to the end if that comes before."""
        return replace(self, **{name: getattr(self, name)[start:stop] for name in FRAMEWISE})


def speech_windows(
    features: Array,
    prosody: Array,
    frames: np.ndarray,
    offset_frames: float,
    cut: str = "between",
    projection: Callable[[np.ndarray], np.ndarray] = np.asarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Windows [T, 16, D] and [T, 16, 3] of 50 Hz `features` [K, D] and `prosody` [K, 3] around video `frames` [T].

    `offset_frames` > 0 says the video is late: frame k shows what was heard at (k - offset) / 25 s. `cut` is a name of
    `emotag.audio.windows.WINDOWS`. Of stored arrays no more
    is read than the windows reach; `projection` of features before windows are cut is the same as after and ten times less.
    """
    times = windows.frame_times(frames, offset_frames)
    heard = windows.heard(times, len(features))

    def windowed(values: np.ndarray) -> np.ndarray:
        return windows.WINDOWS[cut](values, times, heard.start, len(features))

    return windowed(projection(features[heard])), windowed(np.asarray(prosody[heard]))


@dataclass(frozen=True)
class StoredExample:
    """One clip of a corpus in the motion space of its person, of which the runs of frames that are asked for are read.

    `limit` [frames] cuts it.
    """

    corpus: Corpus
    clip: str
    space: FeatureSpace
    statistics: MotionStatistics
    limit: int | None = None

    @property
    def person(self) -> str:
        """Who speaks."""
        return self.corpus.people[self.clip]

    def __len__(self) -> int:
        frames = len(self.corpus.motion[self.clip])
        return frames if self.limit is None else min(frames, self.limit)

    def first(self, seconds: float) -> "StoredExample":
        """The first `seconds` of the clip, or all of it."""
        return replace(self, limit=round(seconds * FPS))

    def read(self, start: int, stop: int) -> Example:
        """Frames `start` to `stop`, or to the end if that comes before."""
        corpus, clip, stop = self.corpus, self.clip, min(stop, len(self))

        def projection(features: np.ndarray) -> np.ndarray:
            return self.space.components(torch.from_numpy(np.asarray(features, np.float32))).numpy()

        with torch.no_grad():
            components, prosody = speech_windows(
                corpus.features[clip],
                corpus.prosody[clip],
                np.arange(start, stop),
                corpus.offset_frames[clip],
                self.space.windows,
                projection,
            )
            arrays = {
                "components": components,
                "cues": self.statistics.cues(corpus.action_units[clip][start:stop]),
                "target": self.statistics.standardise(corpus.motion[clip][start:stop]),
                "emotion": corpus.emotion[clip][start:stop],
                "identity": corpus.identity[clip],
            }
            tensors = {name: torch.from_numpy(np.asarray(array, np.float32)) for name, array in arrays.items()}
            prosody = self.space.prosody(torch.from_numpy(np.asarray(prosody, np.float32)))
            return Example(**tensors, prosody=prosody, person=self.person)


def blocks(clip: Clip) -> Iterator[Example]:
    """All frames of a clip, a minute at a time."""
    for start in range(0, len(clip), BLOCK_FRAMES):
        yield clip.read(start, start + BLOCK_FRAMES)


def examples_of(
    corpus: Corpus, clips: Sequence[str], space: FeatureSpace, statistics: Mapping[str, MotionStatistics]
) -> list[StoredExample]:
    """Several clips of a corpus; `statistics` by person."""
    return [StoredExample(corpus, clip, space, statistics[corpus.people[clip]]) for clip in clips]
