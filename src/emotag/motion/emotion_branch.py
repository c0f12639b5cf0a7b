"""Emotion: the residual encoder and decoder around the latent z, and the gate (EmoTaG, Sec. 3.3, Eqs. 9 to 12).

`RESIDUALS` and `GATES` hold, beside them, what stands in their place in the ablations of Table 5.
"""

import torch
from torch import Tensor, nn

from emotag.types import EMOTIONS

# Width of z by variant. With 7 the softmax of Eq. 12 is taken of z itself.
LATENTS = {"z7": len(EMOTIONS), "z64": 64}


class EmotionBranch(nn.Module):
    """Shared features to z (guided by the teacher's emotion) and on to the residual motion.

    The decoder's last layer starts at zero, so that an untrained residual moves nothing.
    """

    def __init__(self, width: int, channels: int, latent: str, hidden: int = 128) -> None:
        super().__init__()
        size = LATENTS[latent]
        self.encoder = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, size))
        self.classifier = {"z7": nn.Identity(), "z64": nn.Linear(size, len(EMOTIONS))}[latent]
        self.decoder = nn.Sequential(
            nn.Linear(size, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, channels)
        )
        nn.init.zeros_(self.decoder[-1].weight)
        nn.init.zeros_(self.decoder[-1].bias)

    def forward(self, shared: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """[B, width], and what is added to the latent [Z], to residual [B, C] and emotion logits [B, 7]."""
        return self.of_latent(self.encoder(shared) + shift)

    def of_latent(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Latent [B, Z] to residual [B, C] and emotion logits [B, 7]."""
        return self.decoder(latent), self.classifier(latent)

    @torch.no_grad()
    def refit(self, latent: Tensor, gate: Tensor, wanted: Tensor, strength: float = 1e-2) -> None:
        """The decoder's last layer by ridge regression: `gate` [N, 1] times the residual of `latent` [N, Z] near `wanted`
        [N, C]; `strength` times the mean diagonal keeps it solvable."""
        hidden = self.decoder[:-1](latent).double()
        inputs = gate.double() * torch.cat([hidden, torch.ones_like(hidden[:, :1])], 1)
        moment = inputs.T @ inputs
        moment += strength * moment.diagonal().mean() * torch.eye(len(moment), dtype=moment.dtype)
        solved = torch.linalg.solve(moment, inputs.T @ wanted.double())
        self.decoder[-1].weight.copy_(solved[:-1].T)
        self.decoder[-1].bias.copy_(solved[-1])

    @torch.no_grad()
    def project(self, projection: Tensor) -> None:
        """Turn every residual r [C] from now on into `projection` r ([C, C])."""
        last = self.decoder[-1]
        last.weight.copy_(projection @ last.weight)
        last.bias.copy_(projection @ last.bias)

    def shut(self) -> None:
        """Zero the decoder's last layer, so that the residual moves nothing."""
        nn.init.zeros_(self.decoder[-1].weight)
        nn.init.zeros_(self.decoder[-1].bias)


class NoResidual(nn.Module):
    """Motion is the base's alone, and every emotion is as likely as any other."""

    def __init__(self, width: int, channels: int, latent: str) -> None:
        super().__init__()
        self.channels, self.size = channels, LATENTS[latent]

    def encoder(self, shared: Tensor) -> Tensor:
        """A latent that says nothing."""
        return shared.new_zeros(len(shared), self.size)

    def of_latent(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Zeros [B, C] and [B, 7]."""
        return latent.new_zeros(len(latent), self.channels), latent.new_zeros(len(latent), len(EMOTIONS))

    def refit(self, latent: Tensor, gate: Tensor, wanted: Tensor) -> None:
        """There is nothing to fit."""

    def project(self, projection: Tensor) -> None:
        """There is nothing to project."""

    def forward(self, shared: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """[B, width] to zeros [B, C] and [B, 7]."""
        return self.of_latent(self.encoder(shared))

    def shut(self) -> None:
        """It is."""


class Gate(nn.Module):
    """Shared features to g in (0, 1), guided by the teacher's intensity 1 - p(neutral)."""

    def __init__(self, width: int, hidden: int = 128) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Linear(hidden, 1))

    def forward(self, shared: Tensor, shift: Tensor) -> Tensor:
        """[B, width], and what is added to the gate's logit [1], to [B, 1]."""
        return torch.sigmoid(self.mlp(shared) + shift)


class OpenGate(nn.Module):
    """g = 1 in every frame."""

    def __init__(self, width: int) -> None:
        super().__init__()

    def forward(self, shared: Tensor, shift: Tensor) -> Tensor:
        """[B, width] to ones [B, 1]."""
        return shared.new_ones(len(shared), 1)


RESIDUALS = {"emotion": EmotionBranch, "none": NoResidual}
GATES = {"learned": Gate, "open": OpenGate}
