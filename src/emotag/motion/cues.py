"""What drives the motion network in given frames of a clip."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import ActionUnits, Array, Identity, Speech
from emotag.errors import ArtifactMismatch
from emotag.motion.examples import speech_windows
from emotag.types import UPPER_FACE_AUS


@dataclass(frozen=True)
class Cues:
    """T frames: `speech` [T, 16, D] and `prosody` [T, 16, 3] windows, upper-face `action_units` [T, 6] 0 to 5 and the
    `identity` feature [I]. Nothing of the lower face can be here."""

    speech: Tensor
    prosody: Tensor
    action_units: Tensor
    identity: Tensor

    def __getitem__(self, frames) -> "Cues":
        """A selection of frames."""
        return Cues(self.speech[frames], self.prosody[frames], self.action_units[frames], self.identity)

    def __len__(self) -> int:
        return len(self.speech)


@dataclass(frozen=True)
class Source:
    """The same of a whole recording, made for the frames that are asked for: sixteen windows a token would not fit in memory
    for an hour of speech. `features` [K, D] and `prosody` [K, 3] at 50 Hz, `sound_frames` [T] and `offset_frames` as in
    `gather`, `action_units` [T, 6], `identity` [I], `cut` as in `speech_windows`."""

    features: Array
    prosody: np.ndarray
    sound_frames: np.ndarray
    offset_frames: float
    action_units: np.ndarray
    identity: np.ndarray
    cut: str = "between"

    def __getitem__(self, frames: slice | Tensor) -> Cues:
        """A run of frames, or those of the numbers [B]."""
        frames = frames if isinstance(frames, slice) else np.asarray(frames)
        sound_frames = self.sound_frames[frames]
        windows = speech_windows(self.features, self.prosody, sound_frames, self.offset_frames, self.cut)
        arrays = (*windows, self.action_units[frames], self.identity)
        return Cues(*(torch.from_numpy(np.ascontiguousarray(array, np.float32)) for array in arrays))

    def __len__(self) -> int:
        return len(self.sound_frames)


def prosody_of(speech: Speech) -> np.ndarray:
    """[K, 3] log F0, voiced, energy at 50 Hz."""
    return np.stack([np.asarray(c) for c in (speech.log_f0, speech.voiced, speech.energy)], -1).astype(np.float32)


def upper_face_units(units: ActionUnits) -> np.ndarray:
    """[T, 6] in the order of `UPPER_FACE_AUS`.

    Raises:
        ArtifactMismatch: the provider does not give one of them.
    """
    missing = [name for name in UPPER_FACE_AUS if name not in units.names]
    if missing:
        raise ArtifactMismatch(
            f"action units of provider {units.provider!r}: found no {', '.join(missing)}, expected "
            f"{', '.join(UPPER_FACE_AUS)}; choose another action_units.provider"
        )
    return units.intensity[:, [units.names.index(name) for name in UPPER_FACE_AUS]]


def source(
    speech: Speech,
    sound_frames: np.ndarray,
    offset_frames: float,
    units: ActionUnits,
    cue_frames: np.ndarray,
    identity: Identity,
    cut: str = "between",
) -> Source:
    """Speech around `sound_frames` [T] (their clip's video late by `offset_frames`) with the upper face of `cue_frames`;
    `cut` is the `windows` of the network's architecture."""
    upper_face = upper_face_units(units)[cue_frames]
    heard = np.asarray(sound_frames)
    return Source(speech.features, prosody_of(speech), heard, offset_frames, upper_face, identity.embedding, cut)


def gather(
    speech: Speech,
    sound_frames: np.ndarray,
    offset_frames: float,
    units: ActionUnits,
    cue_frames: np.ndarray,
    identity: Identity,
    cut: str = "between",
) -> Cues:
    """All frames of a `source` at once."""
    return source(speech, sound_frames, offset_frames, units, cue_frames, identity, cut)[slice(None)]
