"""Driving codes: everything the head model and the mouth field need for one frame, as named columns."""

from dataclasses import dataclass, fields

import numpy as np
import torch
from torch import Tensor

from emotag.artifacts import Motion, Tracks


@dataclass(frozen=True)
class Codes:
    """B frames: `expression` [B, E], `jaw` [B, 3], `neck` [B, 3], `eyes` [B, 6], `rotation` [B, 3] axis-angle,
    `translation` [B, 3] m, `gate` [B, 1] 0 to 1, `emotion` [B, 7] logits, `condition` [B, D] for the mouth field."""

    expression: Tensor
    jaw: Tensor
    neck: Tensor
    eyes: Tensor
    rotation: Tensor
    translation: Tensor
    gate: Tensor
    emotion: Tensor
    condition: Tensor

    @classmethod
    def from_tracks(cls, tracks: Tracks, frames: np.ndarray, condition_size: int) -> "Codes":
        """The tracked head itself: gate open, emotion and condition zero."""
        count = len(frames)
        tracked = {
            name: torch.from_numpy(np.asarray(getattr(tracks, name)[frames], np.float32))
            for name in ("expression", "jaw", "neck", "eyes", "rotation", "translation")
        }
        return cls(
            **tracked,
            gate=torch.ones(count, 1),
            emotion=torch.zeros(count, 7),
            condition=torch.zeros(count, condition_size),
        )

    @classmethod
    def from_motion(cls, motion: Motion) -> "Codes":
        """The columns of an artifact by its layout."""
        return StoredCodes(motion)[slice(None)]

    def to_motion(self, variant: str, frames: np.ndarray, audio_start_s: float) -> Motion:
        """As an artifact; `frames` [B] are the clip's frames whose pose and plate are used."""
        layout, stop = {}, 0
        for field in fields(self):
            start, stop = stop, stop + getattr(self, field.name).shape[1]
            layout[field.name] = [start, stop]
        columns = torch.cat([getattr(self, field.name) for field in fields(self)], 1).detach().numpy()
        return Motion(columns.astype(np.float32), layout, variant, [int(f) for f in frames], float(audio_start_s))

    def __getitem__(self, frames) -> "Codes":
        """A selection of frames."""
        return Codes(**{field.name: getattr(self, field.name)[frames] for field in fields(self)})

    def __len__(self) -> int:
        return len(self.expression)

    def shifted(self, rotation: Tensor, translation: Tensor) -> "Codes":
        """The same codes with `rotation` [B, 3] and `translation` [B, 3] added to the poses."""
        return self.replaced(rotation=self.rotation + rotation, translation=self.translation + translation)

    def replaced(self, **values: Tensor) -> "Codes":
        """The same codes with some columns exchanged."""
        return Codes(**{field.name: values.get(field.name, getattr(self, field.name)) for field in fields(self)})


@dataclass(frozen=True)
class StoredCodes:
    """The frames of a Motion, read as they are asked for where it was opened."""

    motion: Motion

    def __getitem__(self, frames: slice) -> Codes:
        """A run of frames."""
        columns = torch.from_numpy(self.motion.codes[frames])
        return Codes(**{field.name: columns[:, slice(*self.motion.layout[field.name])] for field in fields(Codes)})

    def __len__(self) -> int:
        return len(self.motion.codes)
