"""Gated residual motion network (EmoTaG, Sec. 3.3): motion = base + gate * residual, in standardised motion space.

Base: articulation from speech. Residual: an emotion latent z and the motion it decodes to. Gate: how much of it shows.
Choices where the paper is silent or its released code differs, all recorded in `Architecture`:
- z is what the softmax of Eq. 12 is taken of and what the decoder reads (`z7`), or a wider latent with a head (`z64`);
- the base branch reads speech alone (`audio`) or speech and cues (`audio_au`);
- windows of speech are cut between tokens, symmetric around the frame, or of whole tokens as the released code's (`windows`);
- gate, residual, AdaIN and prosody can be left out (`gate`, `residual`, `modulation`, `prosody`): the ablations;
- latent and gate of a person's calm frames are moved to where those of the corpus are (`expect`);
- the residual can be in units of its own (`residual_scale`) and be kept from some channels (`residual_shown`);
- the emotion can be set instead of heard (`mood`);
- a closed-form ridge lies under the base branch, whose own last layer starts at zero (all zero: variant `no_ridge`);
- a fixed network for the lips lies beside the ridge and counts for nothing until a person opens it (`articulation`).
"""

import copy
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from emotag.audio.windows import WINDOWS
from emotag.errors import ArtifactMismatch
from emotag.motion.adain import MODULATIONS
from emotag.motion.articulation import Articulation
from emotag.motion.emotion_branch import GATES, LATENTS, RESIDUALS
from emotag.motion.skip import TOKENS, FeatureSpace, SkipPath
from emotag.motion.speech_encoder import PROSODY_INPUTS, SpeechEncoder
from emotag.motion.statistics import AU_RANGE, MotionStatistics, cues_of
from emotag.types import EMOTIONS, NEUTRAL, UPPER_FACE_AUS

# The most that an emotion that is set moves an expression unit by the residual.
BROADEST = 0.5
BASE_INPUTS = ("audio", "audio_au")
# Allowed values of the fields of `Architecture` that choose a component.
CHOICES = {
    "base_input": BASE_INPUTS,
    "latent": tuple(LATENTS),
    "gate": tuple(GATES),
    "residual": tuple(RESIDUALS),
    "modulation": tuple(MODULATIONS),
    "prosody": tuple(PROSODY_INPUTS),
    "windows": tuple(WINDOWS),
}


@dataclass(frozen=True)
class Architecture:
    """Everything needed to build the network that a set of weights belongs to (plain values, kept in the artifact)."""

    channels: int
    features: int
    identity: int
    components: int = 96
    width: int = 256
    layers: int = 4
    heads: int = 8
    feedforward: int = 1024
    dropout: float = 0.1
    base_input: str = "audio"
    latent: str = "z7"
    gate: str = "learned"
    residual: str = "emotion"
    modulation: str = "identity"
    prosody: str = "used"
    windows: str = "between"
    articulation_components: int = 0
    articulation_width: int = 0

    def __post_init__(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ArtifactMismatch(
                    f"motion network: {name} is {getattr(self, name)!r}, expected one of {allowed}; "
                    "correct pretrain in the configuration, or make the prior again"
                )

    def plain(self) -> dict[str, Any]:
        """As a dictionary that JSON can hold."""
        return asdict(self)


@dataclass(frozen=True)
class GrmnOutput:
    """B frames in standardised motion space: `motion` = `base` + `gate` * `residual` [B, C], `gate` [B, 1] in (0, 1)
    (1 where it is left out),
    `emotion` [B, 7] logits, `condition` [B, width] pooled speech. The last three condition the mouth field."""

    motion: Tensor
    base: Tensor
    residual: Tensor
    gate: Tensor
    emotion: Tensor
    condition: Tensor


class ActionUnitEncoder(nn.Module):
    """Six cues to 64 features, modulated by the identity (no normalisation: a single vector has no time axis, and over
    channels it would lose how strong the cue is), then fused to the network's width by a layer that starts at zero."""

    def __init__(self, identity: int, width: int, hidden: int = 64, modulation: str = "identity") -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(len(UPPER_FACE_AUS), hidden), nn.ReLU(), nn.Linear(hidden, hidden))
        self.modulation = MODULATIONS[modulation](identity, hidden)
        self.fusion = nn.Linear(hidden, width)
        nn.init.zeros_(self.fusion.weight)
        nn.init.zeros_(self.fusion.bias)

    def forward(self, cues: Tensor, identity: Tensor) -> Tensor:
        """[B, 6] cues and [B, I] identity to [B, width]."""
        return self.fusion(torch.relu(self.modulation(self.mlp(cues), identity)))


class GatedResidualMotionNetwork(nn.Module):
    """See the module. Parameters of the adaptive normalisation are those under `adain_modules`."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        a = self.architecture = architecture
        self.space = FeatureSpace(a.features, a.components, a.identity, a.windows)
        self.skip = SkipPath(a.components, a.channels)
        heard = (a.features, a.articulation_components, a.articulation_width, a.channels)
        self.articulation = Articulation(*heard) if a.articulation_width else None
        self.speech = SpeechEncoder(
            a.components,
            a.identity,
            tokens=TOKENS,
            width=a.width,
            layers=a.layers,
            heads=a.heads,
            feedforward=a.feedforward,
            dropout=a.dropout,
            modulation=a.modulation,
            prosody=a.prosody,
        )
        self.action_units = ActionUnitEncoder(a.identity, a.width, modulation=a.modulation)
        layers = [module for _ in range(4) for module in (nn.Linear(a.width, a.width, bias=False), nn.ReLU())]
        self.backbone = nn.Sequential(*layers)
        for layer in self.backbone[::2]:
            # He et al. (2015): torch's default loses five sixths of the power a layer, after four nothing is left.
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        self.base = nn.Linear(a.width, a.channels)
        nn.init.zeros_(self.base.weight)
        nn.init.zeros_(self.base.bias)
        self.emotion = RESIDUALS[a.residual](a.width, a.channels, a.latent)
        self.gate = GATES[a.gate](a.width)
        self.register_buffer("motion_mean", torch.zeros(a.channels))
        self.register_buffer("motion_scale", torch.ones(a.channels))
        self.register_buffer("cue_mean", torch.zeros(len(UPPER_FACE_AUS)))
        self.register_buffer("residual_scale", torch.zeros(a.channels))
        self.register_buffer("residual_shown", torch.ones(a.channels))
        self.register_buffer("latent_shift", torch.zeros(LATENTS[a.latent]))
        self.register_buffer("gate_shift", torch.zeros(1))
        self.register_buffer("calm_gate", torch.zeros(1))
        self.register_buffer("mood_latent", torch.zeros(len(EMOTIONS), LATENTS[a.latent]))
        self.register_buffer("mood_cues", torch.zeros(len(EMOTIONS), len(UPPER_FACE_AUS)))

    def forward(
        self, speech: Tensor, prosody: Tensor, action_units: Tensor, identity: Tensor, tokens: Tensor | None = None
    ) -> GrmnOutput:
        """Motion of B frames, each from its own window.

        `speech` [B, 16, D] and `prosody` [B, 16, 3] at 20 ms around the frame (offsets -150, -130, …, +150 ms),
        `action_units` [B, 6] intensities 0 to 5 in the order of `UPPER_FACE_AUS`, `identity` [I] or [B, I].
        `tokens` [B, 16, width]: what `tokens` gives for the same frames, where it is at hand.
        """
        components, prosody = self.space.components(speech), self.space.prosody(prosody)
        articulated = None if self.articulation is None else self.articulation(speech)
        return self.from_components(components, prosody, self.cues(action_units), identity, tokens, articulated)

    def tokens(self, speech: Tensor, prosody: Tensor) -> Tensor:
        """[B, 16, width] of the speech encoder before identity comes in; arguments as of `forward`."""
        return self.speech.tokens(self.space.components(speech), self.space.prosody(prosody))

    def from_components(
        self,
        components: Tensor,
        prosody: Tensor,
        cues: Tensor,
        identity: Tensor,
        tokens: Tensor | None = None,
        articulated: Tensor | None = None,
    ) -> GrmnOutput:
        """As `forward`, from [B, 16, P] principal components, standardised prosody and centred cues; `articulated` [B, C]
        is what `articulation` makes of the same speech."""
        condition, audio, shared = self._listened(components, prosody, cues, identity, tokens)
        base_features = {"audio": audio, "audio_au": shared}[self.architecture.base_input]
        base = self.skip(components, cues) + self.base(base_features)
        if articulated is not None:
            base = base + articulated
        residual, emotion = self.emotion(shared, self.latent_shift)
        residual = residual * self.residual_ratio() * self.residual_shown
        gate = self.gate(shared, self.gate_shift)
        return GrmnOutput(base + gate * residual, base, residual, gate, emotion, condition)

    def _listened(
        self, components: Tensor, prosody: Tensor, cues: Tensor, identity: Tensor, tokens: Tensor | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Pooled speech, what the backbone makes of it, and that with the cues, each [B, width]: what all branches read."""
        identity = self.space.identity(identity).expand(len(components), -1)
        condition = self.speech.pooled(self.speech.tokens(components, prosody) if tokens is None else tokens, identity)
        audio = self.backbone(condition)
        return condition, audio, audio + self.action_units(cues, identity)

    def felt(self, components: Tensor, prosody: Tensor, cues: Tensor, identity: Tensor) -> tuple[Tensor, Tensor]:
        """Emotion latent [B, Z] and gate [B, 1] before they are moved for a person; arguments as of `from_components`."""
        _, _, shared = self._listened(components, prosody, cues, identity)
        return self.emotion.encoder(shared), self.gate(shared, torch.zeros_like(self.gate_shift))

    def expect(self, latent: Tensor, gate: Tensor) -> None:
        """Take these frames (of `felt`) for how a person is when calm: emotion is what differs from them."""
        self.latent_shift.copy_(self.mood_latent[NEUTRAL] - latent.mean(0))
        self.gate_shift.copy_(self.calm_gate - torch.logit(gate, 1e-6).mean(0))

    def residual_ratio(self) -> Tensor:
        """[C] one of the residual's own units in the motion space the network speaks. A smile is as large in everybody's
        face: with a `residual_scale` (head units) the residual does not follow how far a person moves in speech."""
        return torch.where(self.residual_scale > 0, self.residual_scale / self.motion_scale, 1.0)

    def mood(self, strengths: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Emotion that is set: `strengths` [B, 7] 0 to 1 of each class (neutral's counts for nothing, the sum is at most
        1) to residual [B, C], gate [B, 1], logits [B, 7], and action units to add to the cues [B, 6]."""
        strengths = strengths * (torch.arange(len(EMOTIONS), device=strengths.device) != NEUTRAL)
        gate = strengths.sum(1, keepdim=True)
        shares = strengths / gate.clamp_min(1e-6)
        latent = torch.where(gate > 1e-6, shares @ self.mood_latent, self.mood_latent[NEUTRAL])
        residual, emotion = self.emotion.of_latent(latent)
        # Five seconds of calm speech do not show what lies behind a broad smile: lips tear there.
        most = (residual * self.residual_scale).abs().amax(1, keepdim=True)
        residual = residual * (BROADEST / most.clamp_min(BROADEST))
        return residual * self.residual_ratio(), gate, emotion, AU_RANGE * strengths @ self.mood_cues

    def cues(self, action_units: Tensor) -> Tensor:
        """[B, 6] intensities 0 to 5 to cues around the mean of the person that the network currently speaks for."""
        return cues_of(action_units, self.cue_mean)

    def restore(self, motion: Tensor) -> Tensor:
        """[B, C] standardised motion to head units (expression 0 to 1 before the head's limits, jaw in rad)."""
        return motion * self.motion_scale + self.motion_mean

    def statistics(self) -> MotionStatistics:
        """The motion space that the network currently speaks."""
        buffers = (self.motion_mean, self.motion_scale, self.cue_mean)
        return MotionStatistics(*(buffer.cpu().numpy().astype(np.float64) for buffer in buffers))

    def set_statistics(self, statistics: MotionStatistics) -> None:
        """Make the network speak the motion space of one person (or of the pooled corpus)."""
        self.motion_mean.copy_(torch.from_numpy(np.asarray(statistics.mean, np.float32)))
        self.motion_scale.copy_(torch.from_numpy(np.asarray(statistics.scale, np.float32)))
        self.cue_mean.copy_(torch.from_numpy(np.asarray(statistics.cue_mean, np.float32)))

    def speaking(self, statistics: MotionStatistics) -> Self:
        """This network in the motion space of somebody else: the weights are shared, the statistics are its own."""
        other = copy.copy(self)
        other._buffers = {name: buffer.clone() for name, buffer in self._buffers.items()}
        other.set_statistics(statistics)
        return other

    def shut_base(self) -> None:
        """Zero the base branch's last layer, so that articulation is the ridge's; the rest stays."""
        nn.init.zeros_(self.base.weight)
        nn.init.zeros_(self.base.bias)

    def shut(self) -> None:
        """Zero the last layers of base and residual, so that motion is the ridge's; the rest stays."""
        self.shut_base()
        self.emotion.shut()

    @property
    def acted(self) -> bool:
        """Whether residual, latent and gate were learnt from actors (`emotag.training.emotion`)."""
        return bool(torch.count_nonzero(self.residual_scale))

    def adain_parameters(self) -> dict[str, nn.Parameter]:
        """The parameters that `adapt.scope: adain` trains, by their name in the network."""
        return {name: value for name, value in self.named_parameters() if ".modulation." in name}

    def arrays(self) -> dict[str, np.ndarray]:
        """Weights, statistics and ridge as float32 arrays for an artifact."""
        return {name: value.detach().cpu().numpy().copy() for name, value in self.state_dict().items()}


def load(arrays: Mapping[str, np.ndarray], architecture: Mapping[str, Any]) -> GatedResidualMotionNetwork:
    """The network of a Prior's or an Avatar's `network` arrays and `architecture`, in evaluation mode.

    Raises:
        ArtifactMismatch: names or shapes of the arrays are not those of the architecture.
    """
    try:
        network = GatedResidualMotionNetwork(Architecture(**architecture))
        network.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in arrays.items()})
    except (TypeError, RuntimeError) as error:
        raise ArtifactMismatch(
            f"motion network: the stored weights do not fit the stored architecture ({error}); make the prior again"
        ) from error
    return network.eval()
