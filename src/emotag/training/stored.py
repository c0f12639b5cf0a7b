"""Frames that lie in a file and come into memory when they are asked for, so that many people's footage fits."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor


class Stored:
    """[T, ...] of which `stored[frames]` are float tensors `scale` times what is kept.

    The file below `folder` has no name, so it goes with the process, however that ends.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...], kind: type, scale: float = 1.0) -> None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            self.array = np.memmap(file, kind, "w+", shape=shape)
        self.scale = scale

    @property
    def shape(self) -> tuple[int, ...]:
        """As of an array."""
        return self.array.shape

    def __len__(self) -> int:
        return len(self.array)

    def __getitem__(self, frames: int | Tensor) -> Tensor:
        """[...] of a frame, [B, ...] of several."""
        chosen = self.array[np.asarray(frames)]
        return torch.from_numpy(np.array(chosen)).float() * self.scale


Keeper = Callable[[tuple[int, ...], type, float], Stored]


def keeper(folder: Path) -> Keeper:
    """Makes the `Stored` of one folder from shape, kind and scale."""
    return lambda shape, kind, scale: Stored(folder, shape, kind, scale)
