"""How well predicted motion follows the tracked one, in motion space (no rendering: for choosing only)."""

from collections.abc import Sequence

import numpy as np
import torch

from emotag.motion.examples import Example
from emotag.motion.grmn import GatedResidualMotionNetwork


def correlation(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[C] Pearson correlation of the columns of two [T, C] arrays; 0 where a column does not move."""
    a, b = predicted - predicted.mean(0), target - target.mean(0)
    norm = np.sqrt((a * a).sum(0) * (b * b).sum(0))
    return np.divide((a * b).sum(0), norm, out=np.zeros(a.shape[1]), where=norm > 1e-9)


def predict(network: GatedResidualMotionNetwork, example: Example, chunk: int = 256) -> np.ndarray:
    """[T, C] standardised motion of an example's frames, a chunk at a time, without gradient or dropout."""
    training, device = network.training, network.motion_mean.device
    network.eval()
    with torch.inference_mode():
        parts = [
            network.from_components(
                *(part[i : i + chunk].to(device) for part in (example.components, example.prosody, example.cues)),
                example.identity.to(device),
            ).motion.cpu()
            for i in range(0, len(example), chunk)
        ]
    network.train(training)
    return torch.cat(parts).double().numpy()


def lip_score(network: GatedResidualMotionNetwork, examples: Sequence[Example], channel_weights: np.ndarray) -> float:
    """Mean over examples of the channels' correlation, weighted by `channel_weights` [C]."""
    return float(np.mean([weighted_correlation(predict(network, e), e, channel_weights) for e in examples]))


def weighted_correlation(predicted: np.ndarray, example: Example, channel_weights: np.ndarray) -> float:
    """`channel_weights`-weighted mean over channels of the correlation with the example's target."""
    return float(np.average(correlation(predicted, example.target.double().numpy()), weights=channel_weights))
