"""Objectives of adaptation: the avatar drawn for a batch of frames against the footage (EmoTaG, Sec. 3.4).

Frame numbers count from the adaptation part's start. A picture is compared over one plain colour a step: the target is
the frame inside the head's soft mask and that colour outside, so opacity is learnt with the colours.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor, nn

from emotag.config import PictureConfig
from emotag.gaussians.cloud import HAIR
from emotag.gaussians.deformer import RiggedDeformer
from emotag.gaussians.lids import Hold
from emotag.geometry.camera import Camera
from emotag.motion.codes import Codes
from emotag.motion.cues import Cues, Source
from emotag.motion.grmn import GatedResidualMotionNetwork, GrmnOutput
from emotag.motion.statistics import FLOOR
from emotag.render.base import Frame, Renderer
from emotag.render.photometric import Photometric
from emotag.training.facing import facing_normals
from emotag.training.footage import Footage
from emotag.training.geometry_loss import depth_loss, normal_loss, pooled
from emotag.training.losses import emotion_divergence, gate_score, position_hinge, scale_hinge, weighted_square
from emotag.types import NEUTRAL

CHUNK_FRAMES = 32


class PoseCorrection(nn.Module):
    """What the pictures correct in the tracked pose of each of T frames: `rotation` [T, 3] rad, `translation` [T, 3] m.

    Landmarks leave a hundredth of a radian and a millimetre or two open; averaged over, that blurs all that is fine.
    """

    def __init__(self, frames: int) -> None:
        super().__init__()
        self.rotation = nn.Parameter(torch.zeros(frames, 3))
        self.translation = nn.Parameter(torch.zeros(frames, 3))

    def forward(self, codes: Codes, frames: Tensor) -> Codes:
        """`codes` of `frames` [B] with their poses corrected."""
        return codes.shifted(self.rotation[frames], self.translation[frames])


class AdaptedAvatar(nn.Module):
    """What adaptation trains: `cloud`, `mouth`, `network` and `pose`; the deformer holds the first two."""

    def __init__(self, deformer: RiggedDeformer, network: GatedResidualMotionNetwork, frames: int) -> None:
        super().__init__()
        self.deformer = deformer
        self.cloud = deformer.cloud
        self.mouth = deformer.mouth
        self.network = network
        self.pose = PoseCorrection(frames)


@dataclass(frozen=True)
class Scene:
    """Everything an objective needs beside the model, for the T frames of the adaptation part: `tracked` codes, the
    network's `cues` and the `teacher`'s emotion distribution [T, 7]. `tokens`: of `frozen_tokens`. `field_begun`: the mouth
    field has learnt from others, so the Gaussians are fitted under it from the first step (`with_conditions`). `lids` holds
    the eyelids' Gaussians to where they began (None: free)."""

    footage: Footage
    tracked: Codes
    cues: Cues | Source
    teacher: Tensor
    camera: Camera
    renderer: Renderer
    photometric: Photometric
    config: PictureConfig
    tokens: Tensor | None = None
    field_begun: bool = False
    lids: Hold | None = None

    def with_conditions(self, network: GatedResidualMotionNetwork) -> Self:
        """The scene for a mouth field that has learnt: its tracked codes hold what the network says to the field."""
        with torch.no_grad():
            parts = [
                network(part.speech, part.prosody, part.action_units, part.identity) for part in parts_of(self.cues)
            ]
        said = {name: torch.cat([getattr(part, name) for part in parts]) for name in ("gate", "emotion", "condition")}
        return replace(self, tracked=self.tracked.replaced(**said), field_begun=True)

    def picture_losses(self, model: AdaptedAvatar, codes: Codes, frames: Tensor, normals: bool) -> dict[str, Tensor]:
        """L1, D-SSIM, mask, hinges, lids and, with `normals`, the geometry of the drawn frames."""
        background = torch.rand(3)
        splats = model.deformer(model.pose(codes, frames), mouth_moves=normals or self.field_begun)
        extras = facing_normals(splats) if normals else None
        drawn = self.renderer.render(splats, self.camera, background, extras)
        mask = self.footage.head[frames]
        target = torch.lerp(background, self.footage.image[frames], mask[..., None])
        l1, ssim = self.photometric(drawn.colour, target)
        cloud = model.cloud
        # Hair stands in shells above the scalp, several triangle sizes high: the hinge is not for it.
        bound = cloud.region != HAIR
        losses = {
            "l1": l1,
            "dssim": 1 - ssim,
            "mask": (drawn.alpha - mask).abs().mean(),
            "position": position_hinge(cloud.mean, self.config.threshold_position, bound),
            "scale": scale_hinge(cloud.scale, self.config.threshold_scale),
        }
        if self.lids is not None:
            losses["lids"] = self.lids(cloud)
        return losses | (self.geometry_losses(drawn, frames) if normals else {})

    def geometry_losses(self, drawn: Frame, frames: Tensor) -> dict[str, Tensor]:
        """Eq. 14 on the coarse grid of the geometry artifact."""
        height, width = self.footage.depth.shape[1:]
        depth = pooled(drawn.depth[..., None], height, width)[..., 0]
        normal = pooled(drawn.extras, height, width)
        valid = self.footage.valid[frames]
        return {
            "depth": depth_loss(depth, self.footage.depth[frames], valid),
            "normal": normal_loss(normal, self.footage.normal[frames], valid),
        }

    def static(self, frames: Tensor, model: AdaptedAvatar) -> dict[str, Tensor]:
        """First phase: appearance on the tracked motion, no network."""
        return self.picture_losses(model, self.tracked[frames], frames, normals=False)

    def joint(self, frames: Tensor, model: AdaptedAvatar) -> dict[str, Tensor]:
        """Second phase: Gaussians and the network's adaptive part together, motion predicted from speech.

        The first half of the batch keeps the tracked motion (with the network's condition for the mouth), so that
        what the network gets wrong is not blurred into the Gaussians.
        """
        cues = self.cues[frames]
        tokens = None if self.tokens is None else self.tokens[frames]
        out = model.network(cues.speech, cues.prosody, cues.action_units, cues.identity, tokens)
        codes = predicted_codes(self.tracked[frames], out, model.network)
        anchored = torch.arange(len(frames))[:, None] < len(frames) // 2
        codes = codes.replaced(
            expression=torch.where(anchored, self.tracked.expression[frames], codes.expression),
            jaw=torch.where(anchored, self.tracked.jaw[frames], codes.jaw),
        )
        teacher = self.teacher[frames]
        losses = self.picture_losses(model, codes, frames, normals=True) | {
            "kl": emotion_divergence(teacher, out.emotion),
            "score": gate_score(out.gate, teacher[:, NEUTRAL]),
        }
        if self.config.weight_motion > 0:
            losses["motion"] = self.motion_loss(model.network, out, frames)
        return losses

    def motion_loss(self, network: GatedResidualMotionNetwork, out: GrmnOutput, frames: Tensor) -> Tensor:
        """Squared distance to the tracked motion in the network's space; channels that do not move are noise alone."""
        tracked = torch.cat([self.tracked.expression[frames], self.tracked.jaw[frames]], 1)
        alive = (network.motion_scale > 2 * FLOOR).float()
        target = (tracked - network.motion_mean) / network.motion_scale
        return weighted_square(out.motion, target, alive / alive.mean().clamp_min(1e-6))


def predicted_codes(tracked: Codes, out: GrmnOutput, network: GatedResidualMotionNetwork) -> Codes:
    """Put the network's motion, gate, emotion and condition into codes that hold the pose."""
    motion = network.restore(out.motion)
    units = tracked.expression.shape[1]
    return tracked.replaced(
        expression=motion[:, :units], jaw=motion[:, units:], gate=out.gate, emotion=out.emotion, condition=out.condition
    )


def frozen_tokens(network: GatedResidualMotionNetwork, cues: Cues, trained: Sequence[str]) -> Tensor | None:
    """What the speech encoder's layers below its adaptive normalisation make of T frames, [T, 16, width], if none of them is
    among the parameters that a phase trains (prefixes as of a `Group`); else None."""
    below = [f"network.speech.{name}." for name in network.speech.BELOW]
    if any(name.startswith(prefix) or prefix.startswith(name) for name in below for prefix in trained):
        return None
    with torch.no_grad():
        return torch.cat([network.tokens(part.speech, part.prosody) for part in parts_of(cues)])


def parts_of(cues: Cues | Source) -> Iterator[Cues]:
    """Runs of frames that take little memory."""
    for start in range(0, len(cues), CHUNK_FRAMES):
        yield cues[start : start + CHUNK_FRAMES]


def frame_batches(count: int, size: int) -> Callable[[torch.Generator], Tensor]:
    """Random frame numbers [size] below `count`, without repetition within a batch."""
    return lambda generator: torch.randperm(count, generator=generator)[:size]


def loss_weights(config: PictureConfig) -> dict[str, float]:
    """Weights by loss name: L1 + D-SSIM + mask + regularisers + geometry + KL + score."""
    return {
        "l1": 1.0,
        "dssim": config.weight_ssim,
        "mask": config.weight_mask,
        "position": config.weight_position,
        "scale": config.weight_scale,
        "lids": config.weight_lids,
        "depth": config.weight_depth,
        "normal": config.weight_normal,
        "kl": config.weight_kl,
        "score": config.weight_score,
        "motion": config.weight_motion,
    }
