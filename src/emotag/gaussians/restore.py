"""An avatar's deformer back from its artifact."""

import torch

from emotag.artifacts import Avatar, Subject
from emotag.errors import ArtifactMismatch
from emotag.gaussians.cloud import GaussianCloud
from emotag.gaussians.deformer import RiggedDeformer
from emotag.gaussians.trunk import Trunk
from emotag.head.base import HeadModel
from emotag.motion import mouth_field


def deformer_of(head: HeadModel, subject: Subject, avatar: Avatar) -> RiggedDeformer:
    """The deformer as it was at the end of adaptation.

    Raises:
        ArtifactMismatch: head, subject and avatar are not of one head model.
    """
    if not avatar.head_model == subject.head_model == head.name:
        raise ArtifactMismatch(
            f"avatar of head model {avatar.head_model!r}, subject of {subject.head_model!r}, expected both of "
            f"{head.name!r}; fit the subject and adapt again with one head model"
        )
    cloud = GaussianCloud.from_arrays(avatar.gaussians).requires_grad_(False)
    mouth = mouth_field.load(avatar.mouth, avatar.architecture["mouth"]).requires_grad_(False)
    return RiggedDeformer(head, torch.from_numpy(subject.shape), cloud, mouth, Trunk.from_arrays(avatar.trunk))


def antialiased(avatar: Avatar) -> bool:
    """Whether the avatar was trained with antialiasing, and so is to be drawn with it (older ones were not)."""
    return bool(avatar.architecture.get("antialiased", False))
