"""How well predicted motion follows the tracked one, in motion space (no rendering: for choosing only)."""

from collections.abc import Sequence

import numpy as np
import torch

from emotag.motion.examples import Clip
from emotag.motion.grmn import GatedResidualMotionNetwork


def correlation(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """[C] Pearson correlation of the columns of two [T, C] arrays; 0 where a column does not move."""
    a, b = predicted - predicted.mean(0), target - target.mean(0)
    norm = np.sqrt((a * a).sum(0) * (b * b).sum(0))
    return np.divide((a * b).sum(0), norm, out=np.zeros(a.shape[1]), where=norm > 1e-9)


def predict(network: GatedResidualMotionNetwork, clip: Clip, chunk: int = 256) -> tuple[np.ndarray, np.ndarray]:
    """[T, C] standardised motion of a clip's frames and [T, C] the tracked one, a chunk at a time, without gradient or
    dropout."""
    training, device = network.training, network.motion_mean.device
    network.eval()
    guesses, targets = [], []
    with torch.inference_mode():
        for start in range(0, len(clip), chunk):
            run = clip.read(start, start + chunk)
            inputs = (part.to(device) for part in (run.components, run.prosody, run.cues, run.identity))
            guesses.append(network.from_components(*inputs).motion.cpu())
            targets.append(run.target)
    network.train(training)
    return torch.cat(guesses).double().numpy(), torch.cat(targets).double().numpy()


def lip_score(network: GatedResidualMotionNetwork, clips: Sequence[Clip], channel_weights: np.ndarray) -> float:
    """Mean over clips of the channels' correlation, weighted by `channel_weights` [C]."""
    return float(np.mean([np.average(correlation(*predict(network, clip)), weights=channel_weights) for clip in clips]))
