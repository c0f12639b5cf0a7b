"""Driving codes of the avatar and of the baselines that share its Gaussians, pose and upper-face cues.

`avatar`: the network. `frozen`: the lower face of the adaptation part's mean. `nearest`: the lower face of the adaptation
frame whose speech is most alike. `upper_bound`: the tracked test frames themselves (what tracker and Gaussians allow).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from emotag.motion.codes import Codes
from emotag.motion.cues import Cues, Source
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.moods import slow
from emotag.motion.statistics import AU_RANGE

CHUNK_FRAMES = 64


@dataclass(frozen=True)
class Material:
    """What a variant is made from: `pose` codes of the driven frames (tracked pose, neck, eyes; their expression and jaw
    are used by the upper bound alone), `cues` of the driven frames, and both of the adaptation part; `lower` [C] bool.
    `borrowed`: the cues are not of the moments that are heard. `mood` [T, 7]: strength of each class where the emotion is
    set (`emotag.motion.timeline`)."""

    pose: Codes
    cues: Cues | Source
    adapted: Codes
    adapted_cues: Cues
    lower: Tensor
    borrowed: bool = False
    mood: Tensor | None = None


def network_codes(
    network: GatedResidualMotionNetwork,
    pose: Codes,
    cues: Cues | Source,
    mood: Tensor | None = None,
    borrowed: bool = False,
) -> Codes:
    """The network's motion, gate, emotion and condition on the given pose, in chunks.

    Emotion is slow (`emotag.motion.moods.slow`). Where the emotion is set, or the cues are `borrowed` from other moments, the
    upper face gets the cues that usually come with it.
    """
    parts = []
    with torch.inference_mode():
        for start in range(0, len(cues), CHUNK_FRAMES):
            part = cues[slice(start, start + CHUNK_FRAMES)]
            out = network(part.speech, part.prosody, part.action_units, part.identity)
            parts.append((out.base, out.gate * out.residual, out.gate, out.emotion, out.condition))
        base, added, gate, emotion, condition = (torch.cat(values) for values in zip(*parts, strict=True))
        added, gate, emotion = slow(added), slow(gate), slow(emotion)
        shown = None
        if mood is not None:
            residual, gate, emotion, shown = network.mood(mood)
            added = gate * residual
        elif borrowed:
            shown = network.mood(gate * torch.softmax(emotion, 1))[3]
        if shown is not None:
            base = base + network.skip.upper_face(shown / AU_RANGE)
        motion = network.restore(base + added)
    units = pose.expression.shape[1]
    return pose.replaced(
        expression=motion[:, :units], jaw=motion[:, units:], gate=gate, emotion=emotion, condition=condition
    )


def with_lower_face(codes: Codes, lower_face: Tensor, lower: Tensor) -> Codes:
    """Exchange the lower-face channels of expression and jaw for those of `lower_face` [T, C]."""
    motion = torch.cat([codes.expression, codes.jaw], 1)
    motion = torch.where(lower, lower_face, motion)
    units = codes.expression.shape[1]
    return codes.replaced(expression=motion[:, :units], jaw=motion[:, units:])


def motion_of(codes: Codes) -> Tensor:
    """[T, C] expression units, then jaw."""
    return torch.cat([codes.expression, codes.jaw], 1)


def avatar(network: GatedResidualMotionNetwork, material: Material) -> Codes:
    """The product: upper and lower face by the network."""
    return network_codes(network, material.pose, material.cues, material.mood, material.borrowed)


def frozen(network: GatedResidualMotionNetwork, material: Material) -> Codes:
    """The avatar with the mean mouth of the adaptation part, its mouth field standing at the mean too."""
    driven = avatar(network, material)
    resting = network_codes(network, material.adapted, material.adapted_cues)
    count = len(driven)
    driven = driven.replaced(
        condition=resting.condition.mean(0, keepdim=True).expand(count, -1),
        gate=resting.gate.mean(0, keepdim=True).expand(count, -1),
        emotion=resting.emotion.mean(0, keepdim=True).expand(count, -1),
    )
    return with_lower_face(driven, motion_of(material.adapted).mean(0, keepdim=True), material.lower)


def nearest(network: GatedResidualMotionNetwork, material: Material) -> Codes:
    """The avatar with the lower face of the adaptation frame whose speech window has the highest cosine."""
    driven = avatar(network, material)
    mean = material.adapted_cues.speech.flatten(1).mean(0)
    own = F.normalize(material.adapted_cues.speech.flatten(1) - mean, dim=1)
    parts = (material.cues[slice(k, k + CHUNK_FRAMES)].speech.flatten(1) for k in range(0, len(driven), CHUNK_FRAMES))
    best = torch.cat([(F.normalize(heard - mean, dim=1) @ own.T).argmax(1) for heard in parts])
    resting = network_codes(network, material.adapted, material.adapted_cues)
    driven = driven.replaced(condition=resting.condition[best], gate=resting.gate[best], emotion=resting.emotion[best])
    return with_lower_face(driven, motion_of(material.adapted)[best], material.lower)


def upper_bound(network: GatedResidualMotionNetwork, material: Material) -> Codes:
    """The tracked motion, with the network's condition for the mouth field."""
    driven = avatar(network, material)
    return driven.replaced(expression=material.pose.expression, jaw=material.pose.jaw)


VARIANTS: dict[str, Callable[[GatedResidualMotionNetwork, Material], Codes]] = {
    "avatar": avatar,
    "frozen": frozen,
    "nearest": nearest,
    "upper_bound": upper_bound,
}
