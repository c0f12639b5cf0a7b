"""Lips from speech as a network of three layers hears them, beside the ridge: what it was trained on are made-up words in
eight languages (data/articulation), so it is the better ear for synthetic voices and the worse one for most people.

How much of a person's lips are its, the person's own five seconds say (`emotag.motion.personalise`). Its weights are fixed:
no phase trains them. Inputs are those of the ridge, on principal components of its own.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from emotag import artifacts
from emotag.audio import windows
from emotag.errors import ArtifactMismatch
from emotag.motion.skip import TAPS, taps
from emotag.tracking.lip_measures import MEASURES


class Articulation(nn.Module):
    """Speech to the four lip measures, and from there to motion, which is nothing (`reach` 0) until a person opens it.

    `mean` [D] and `basis` [D, P] of the features; `weight0` [H, 7 P], `weight1` [H, H], `weight2` [4, H] and their biases;
    `reach` [4, C]: standardised motion per measure.
    """

    def __init__(self, features: int, components: int, width: int, channels: int) -> None:
        super().__init__()
        sizes = (TAPS * components, width, width, len(MEASURES))
        self.layers = len(sizes) - 1
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("basis", torch.zeros(features, components))
        for number, (inside, outside) in enumerate(zip(sizes, sizes[1:], strict=False)):
            self.register_buffer(f"weight{number}", torch.zeros(outside, inside))
            self.register_buffer(f"bias{number}", torch.zeros(outside))
        self.register_buffer("reach", torch.zeros(len(MEASURES), channels))

    def measures(self, speech: Tensor) -> Tensor:
        """[B, 16, D] windows of speech to [B, 4] lip measures of a usual speaker, in outer-eye distances around their mean."""
        return self._measures(taps((speech - self.mean) @ self.basis))

    def predict(self, features: np.ndarray, times_s: np.ndarray) -> np.ndarray:
        """[T, 4] the same from [K, D] features at 50 Hz, at `times_s` [T]: as of `emotag.motion.ridge.Ridge`."""
        components = (features.astype(np.float32) - self.mean.numpy()) @ self.basis.numpy()
        heard = windows.between_tokens(components, times_s)
        with torch.inference_mode():
            return self._measures(taps(torch.from_numpy(heard))).double().numpy()

    def _measures(self, hidden: Tensor) -> Tensor:
        for number in range(self.layers):
            hidden = F.linear(hidden, getattr(self, f"weight{number}"), getattr(self, f"bias{number}"))
            if number + 1 < self.layers:
                hidden = F.gelu(hidden)
        return hidden

    def forward(self, speech: Tensor) -> Tensor:
        """[B, 16, D] to standardised motion [B, C]."""
        return self.measures(speech) @ self.reach


def load(path: Path, revision: str) -> dict[str, np.ndarray]:
    """What an `Articulation` artifact holds, which has to hear speech features of one `revision`.

    Raises:
        ArtifactMismatch: the features are others.
    """
    found = artifacts.Articulation.load(path)
    if found.speech_revision != revision:
        raise ArtifactMismatch(
            f"{path}: hears features {found.speech_revision}, expected {revision} as of the clip's speech; "
            "set adapt.articulation to false"
        )
    return found.arrays


def listening(arrays: dict[str, np.ndarray]) -> Articulation:
    """The network of stored arrays by itself, for its measures.

    Raises:
        ArtifactMismatch: an array is missing, or its shape is none of such a network.
    """
    try:
        network = Articulation(len(arrays["mean"]), *sizes_of(arrays).values(), channels=1)
        network.load_state_dict({name: torch.from_numpy(np.array(array)) for name, array in shut(arrays, 1).items()})
    except (KeyError, RuntimeError) as error:
        raise ArtifactMismatch(
            f"articulation: the stored arrays do not make its network ({error}); make it again (data/articulation)"
        ) from error
    return network


def shut(arrays: dict[str, np.ndarray], channels: int) -> dict[str, np.ndarray]:
    """Stored arrays with the `reach` [4, `channels`] of nobody."""
    return arrays | {"reach": np.zeros((len(MEASURES), channels), np.float32)}


def sizes_of(arrays: dict[str, np.ndarray]) -> dict[str, int]:
    """The fields of `emotag.motion.grmn.Architecture` that stored arrays (all but `reach`) ask for."""
    return {"articulation_components": arrays["basis"].shape[1], "articulation_width": len(arrays["bias0"])}
