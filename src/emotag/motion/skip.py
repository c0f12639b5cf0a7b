"""The closed-form path under the base branch: speech to lower face and jaw, action-unit cues to upper face.

Both are linear (ridge) maps in standardised motion space, so that a network which starts at zero starts at the level of
the ridge. The lower face never reads a cue and the upper face never reads speech here.
"""

import torch
from torch import Tensor, nn

TOKENS = 16
TAPS = 7


def taps(tokens: Tensor) -> Tensor:
    """[B, 16, P] tokens at 20 ms, symmetric around the frame, to [B, 7 P]: taps at -120, -80, …, +120 ms.

    A tap lies midway between two tokens, hence their mean. In windows of whole tokens, of which the ninth is the frame's,
    all taps are 10 ms earlier.
    """
    pairs = tokens[:, 1:15].unflatten(1, (TAPS, 2))
    return pairs.mean(2).flatten(1)


class FeatureSpace(nn.Module):
    """Standardisation of the inputs, fixed after fitting.

    Speech is projected on principal components and divided by one number, so that the mean square of a component is 1
    and their relative strength stays. Log F0 is centred where voiced only (it is 0 where unvoiced). `windows` says how they
    are cut (`emotag.audio.windows.WINDOWS`).
    """

    def __init__(self, features: int, components: int, identity: int, windows: str = "between") -> None:
        super().__init__()
        self.windows = windows
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("basis", torch.zeros(features, components))
        self.register_buffer("prosody_mean", torch.zeros(3))
        self.register_buffer("prosody_scale", torch.ones(3))
        self.register_buffer("identity_mean", torch.zeros(identity))
        self.register_buffer("identity_scale", torch.ones(identity))

    def components(self, speech: Tensor) -> Tensor:
        """[..., D] features to [..., P]."""
        return (speech - self.mean) @ self.basis

    def prosody(self, prosody: Tensor) -> Tensor:
        """[..., 3] log F0, voiced, energy to the same without units."""
        log_f0, voiced, energy = prosody.unbind(-1)
        centred = torch.stack(
            [log_f0 - self.prosody_mean[0] * voiced, voiced - self.prosody_mean[1], energy - self.prosody_mean[2]], -1
        )
        return centred / self.prosody_scale

    def identity(self, identity: Tensor) -> Tensor:
        """[..., I] identity feature to the same around the corpus' mean."""
        return (identity - self.identity_mean) / self.identity_scale


class SkipPath(nn.Module):
    """standardised motion = taps(speech) W + b + cues A. All zero in the variant without ridge.

    `speech_moment` [7 P, 7 P] is the corpus' mean outer product of centred taps, ridge term included: the strength of
    the prior that `emotag.motion.personalise` weighs against a person's own frames; `cue_moment` [6, 6] likewise.
    """

    def __init__(self, components: int, channels: int, cues: int = 6) -> None:
        super().__init__()
        size = TAPS * components
        self.register_buffer("speech_weight", torch.zeros(size, channels))
        self.register_buffer("speech_bias", torch.zeros(channels))
        self.register_buffer("cue_weight", torch.zeros(cues, channels))
        self.register_buffer("speech_moment", torch.eye(size))
        self.register_buffer("cue_moment", torch.eye(cues))

    def forward(self, components: Tensor, cues: Tensor) -> Tensor:
        """[B, 16, P] components and [B, 6] cues to [B, C]."""
        return taps(components) @ self.speech_weight + self.speech_bias + self.upper_face(cues)

    def upper_face(self, cues: Tensor) -> Tensor:
        """What cues [B, 6] alone move [B, C]."""
        return cues @ self.cue_weight
