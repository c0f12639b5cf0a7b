"""Adaptive instance normalisation: the speaker's identity feature sets scale and offset of each feature channel.

EmoTaG Eq. 5 (after Huang and Belongie, 2017): AdaIN(x, i) = (1 + gamma(i)) (x - mean(x)) / deviation(x) + beta(i).

Mean and deviation are taken per sample and channel over the time axis of the window itself (its 16 tokens), before the
window is pooled. Hence the batch has no influence (each sample has its own statistics), the clip's length has none
(nothing outside the window is seen), and a stream frame by frame gives what the whole clip gives. The price: a
channel's level is lost and only its course over the window remains, so pooling must not be a plain mean over
tokens (the mean of a normalised channel is zero); see `emotag.motion.speech_encoder`.
"""

import torch
from torch import Tensor, nn

EPSILON = 1e-5


def instance_norm(tokens: Tensor) -> Tensor:
    """[B, K, D] to zero mean and unit (biased) variance over K for each sample and channel."""
    centred = tokens - tokens.mean(1, keepdim=True)
    return centred * torch.rsqrt(centred.square().mean(1, keepdim=True) + EPSILON)


class Modulation(nn.Module):
    """(1 + gamma(i)) x + beta(i) with gamma and beta from the identity feature: hidden layer, ReLU, last layer zero."""

    def __init__(self, identity: int, channels: int, hidden: int = 256) -> None:
        super().__init__()
        self.hidden = nn.Linear(identity, hidden)
        self.last = nn.Linear(hidden, 2 * channels)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)

    def forward(self, features: Tensor, identity: Tensor) -> Tensor:
        """[B, ..., D] features and [B, I] identity to [B, ..., D]."""
        gamma, beta = self.last(torch.relu(self.hidden(identity))).chunk(2, -1)
        shape = (len(features), *(1,) * (features.ndim - 2), -1)
        return (1 + gamma.reshape(shape)) * features + beta.reshape(shape)


class Unmodulated(nn.Module):
    """gamma = 0 and beta = 0 whoever speaks, and nothing to train: the ablation without AdaIN."""

    def forward(self, features: Tensor, identity: Tensor) -> Tensor:
        """[B, ..., D] features as they are."""
        return features


MODULATIONS = {"identity": Modulation, "none": lambda identity, channels, hidden=256: Unmodulated()}


class AdaIN(nn.Module):
    """Instance norm over the window's tokens followed by the identity's modulation (see the module's docstring)."""

    def __init__(self, identity: int, channels: int, hidden: int = 256, modulation: str = "identity") -> None:
        super().__init__()
        self.modulation = MODULATIONS[modulation](identity, channels, hidden)

    def forward(self, tokens: Tensor, identity: Tensor) -> Tensor:
        """[B, K, D] tokens and [B, I] identity to [B, K, D]."""
        return self.modulation(instance_norm(tokens), identity)
