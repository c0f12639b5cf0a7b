"""What is drawn: Gaussians on a head-like ellipsoid, or a trained avatar."""

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from emotag.artifacts import Avatar, Motion, Subject
from emotag.gaussians.deformer import RiggedDeformer
from emotag.gaussians.restore import deformer_of
from emotag.geometry.camera import Camera
from emotag.geometry.rotations import quaternion_product
from emotag.head import models
from emotag.motion.codes import Codes
from emotag.render.base import Splats

# Half axes in m, and the distance of the ellipsoid's centre from the camera.
AXES_M = (0.075, 0.11, 0.09)
DISTANCE_M = 0.5
# Share of the image that the ellipse covers.
COVERED = 0.4
# Of the scales: spread of their logarithm, and how flat a Gaussian lies on the surface.
LOG_SPREAD = 0.4
FLATNESS = 0.1


@dataclass(frozen=True)
class Scene:
    """One frame: `splats` with B = 1 and the camera that sees them."""

    name: str
    splats: Splats
    camera: Camera


@dataclass(frozen=True)
class AvatarFiles:
    """Artifacts of a trained avatar: its first driven frame is drawn."""

    head: Path
    subject: Path
    avatar: Path
    motion: Path


def ellipsoid(name: str, count: int, size_px: int, sigma_px: float, seed: int = 0) -> Scene:
    """`count` flat Gaussians all around an ellipsoid, `sigma_px` wide at its distance, spherical harmonics of degree 1.

    Opacities are sigmoid(N(0.5, 1.5)).
    """
    random = torch.Generator().manual_seed(seed)
    axes = torch.tensor(AXES_M)
    directions = normalize(torch.randn(count, 3, generator=random), dim=-1)
    focal = size_px * DISTANCE_M * math.sqrt(COVERED / (math.pi * AXES_M[0] * AXES_M[1]))
    camera = Camera(focal, focal, size_px / 2, size_px / 2, size_px, size_px)
    scales = sigma_px * DISTANCE_M / focal * torch.exp(LOG_SPREAD * torch.randn(count, 3, generator=random))
    scales[:, 1] *= FLATNESS
    splats = Splats(
        means=(directions * axes - torch.tensor([0.0, 0.0, DISTANCE_M]))[None],
        quaternions=_upright(normalize(directions / axes, dim=-1), random)[None],
        scales=scales[None],
        opacities=torch.sigmoid(0.5 + 1.5 * torch.randn(count, generator=random))[None],
        sh=0.3 * torch.randn(1, count, 4, 3, generator=random),
    )
    return Scene(name, splats, camera)


def _upright(normals: Tensor, random: torch.Generator) -> Tensor:
    """Quaternions [N, 4] that turn the second axis to the normals [N, 3], after a random spin about it."""
    up = torch.tensor([0.0, 1.0, 0.0]).expand_as(normals)
    tilt = torch.cat([1 + (up * normals).sum(-1, keepdim=True), torch.linalg.cross(up, normals)], -1)
    half = math.pi * torch.rand(len(normals), generator=random)
    none = torch.zeros_like(half)
    return quaternion_product(normalize(tilt, dim=-1), torch.stack([half.cos(), none, half.sin(), none], -1))


@dataclass(frozen=True)
class Driven:
    """A trained avatar, the codes [T] that drive it, and the camera that sees it."""

    deformer: RiggedDeformer
    codes: Codes
    camera: Camera


def driven(files: AvatarFiles) -> Driven:
    """An avatar with its motion.

    Raises:
        ArtifactMismatch: the files do not belong together.
    """
    person = Subject.load(files.subject)
    deformer = deformer_of(models.load(files.head), person, Avatar.load(files.avatar))
    return Driven(deformer, Codes.from_motion(Motion.load(files.motion)), Camera.from_dict(person.camera))


def avatar(files: AvatarFiles) -> Scene:
    """The first frame of a driven avatar.

    Raises:
        ArtifactMismatch: the files do not belong together.
    """
    found = driven(files)
    with torch.no_grad():
        return Scene("avatar", found.deformer(found.codes[:1]), found.camera)
