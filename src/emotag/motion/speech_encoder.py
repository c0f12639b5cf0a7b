"""Speech encoder: a window of 16 tokens at 50 Hz around the video frame to one feature vector.

EmoTaG: temporal CNN, MLP, four-layer transformer. Here: principal components of the speech features with prosody
beside them, Conv1d of width 3, MLP, sinusoidal positions, transformer, AdaIN over the window's tokens, attention
pooling. The released code averages the predicted motions of eight neighbouring windows instead of pooling features;
that costs 0.09 of lip-aperture correlation on real clips and is left out.
"""

import math

import torch
from torch import Tensor, nn

from emotag.motion.adain import AdaIN

PROSODY = 3


def sinusoidal_positions(tokens: int, width: int) -> Tensor:
    """[tokens, width] sines and cosines (Vaswani et al., 2017)."""
    position = torch.arange(tokens, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10_000.0) / width))
    table = torch.zeros(tokens, width)
    table[:, 0::2] = torch.sin(position * rate)
    table[:, 1::2] = torch.cos(position * rate)
    return table


class AttentionPool(nn.Module):
    """Weighted mean over tokens, one set of weights a head, starting from a bump of `spread` tokens at the centre.

    The window is centred on the frame, so its centre is what the mouth does now; the heads learn to look elsewhere.
    """

    def __init__(self, tokens: int, width: int, heads: int, spread: float = 2.0) -> None:
        super().__init__()
        offset = torch.arange(tokens, dtype=torch.float32) - (tokens - 1) / 2
        self.position = nn.Parameter((-0.5 * (offset / spread) ** 2).repeat(heads, 1))
        self.score = nn.Linear(width, heads)
        nn.init.normal_(self.score.weight, std=0.01)
        nn.init.zeros_(self.score.bias)

    def forward(self, tokens: Tensor) -> Tensor:
        """[B, K, D] to [B, D]."""
        weights = torch.softmax(self.score(tokens).transpose(1, 2) + self.position, -1)
        values = tokens.unflatten(-1, (len(self.position), -1))
        return torch.einsum("bhk,bkhd->bhd", weights, values).flatten(1)


class Silent(nn.Module):
    """Prosody that says nothing: the ablation without it."""

    def forward(self, prosody: Tensor) -> Tensor:
        """Zeros of the same shape."""
        return torch.zeros_like(prosody)


PROSODY_INPUTS = {"used": nn.Identity, "none": Silent}


class SpeechEncoder(nn.Module):
    """[B, K, P] principal components and [B, K, 3] prosody of a window to [B, width]."""

    BELOW = ("convolution", "mlp", "transformer")

    def __init__(
        self,
        components: int,
        identity: int,
        *,
        tokens: int = 16,
        width: int = 256,
        layers: int = 4,
        heads: int = 8,
        feedforward: int = 1024,
        dropout: float = 0.1,
        modulation: str = "identity",
        prosody: str = "used",
    ) -> None:
        super().__init__()
        self.prosody = PROSODY_INPUTS[prosody]()
        self.convolution = nn.Conv1d(components + PROSODY, width, 3, padding=1)
        self.mlp = nn.Sequential(nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        layer = nn.TransformerEncoderLayer(width, heads, feedforward, dropout, batch_first=True, norm_first=True)
        self.transformer = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.adain = AdaIN(identity, width, modulation=modulation)
        self.pool = AttentionPool(tokens, width, heads)
        self.register_buffer("positions", sinusoidal_positions(tokens, width), persistent=False)

    def forward(self, components: Tensor, prosody: Tensor, identity: Tensor) -> Tensor:
        """Inputs as named in the class, identity [B, I]; each frame's window is encoded on its own."""
        return self.pooled(self.tokens(components, prosody), identity)

    def tokens(self, components: Tensor, prosody: Tensor) -> Tensor:
        """[B, K, width] of the layers `BELOW` the adaptive normalisation, the same for everybody."""
        inputs = torch.cat([components, self.prosody(prosody)], -1).transpose(1, 2)
        return self.transformer(self.mlp(self.convolution(inputs).transpose(1, 2)) + self.positions)

    def pooled(self, tokens: Tensor, identity: Tensor) -> Tensor:
        """[B, K, width] tokens and identity [B, I] to [B, width]."""
        return self.pool(self.adain(tokens, identity))
