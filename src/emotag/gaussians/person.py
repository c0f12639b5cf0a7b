"""The cloud of one person at the start: skin and eyes, lids, mouth, hair in shells above the scalp, and what is seen beyond."""

from collections.abc import Sequence

import torch
from torch import Tensor

from emotag.artifacts import Subject
from emotag.gaussians import beyond, lids
from emotag.gaussians.cloud import HEAD, MOUTH, GaussianCloud
from emotag.gaussians.deformer import rest_vertices
from emotag.gaussians.placement import faces_of, initialise, initialise_hair, join
from emotag.gaussians.trunk import Trunk, neck_share
from emotag.geometry.camera import Camera
from emotag.head.base import HeadModel

MOUTH_REGIONS = ("lips", "mouth_interior", "teeth", "tongue")
HAIR_REGIONS = ("scalp",)
# What carries hair and ornaments: parts that no expression moves.
CARRIERS = ("scalp", "ears")
MOUTH_SHARE, HAIR_SHARE, LID_SHARE = 0.2, 0.3, 0.03
# What closed lips hide begins with colours of its own, relative to the skin's mean brightness, not with those of the lips.
INNER_COLOURS = {"mouth_interior": (0.35, 0.14, 0.13), "tongue": (0.85, 0.45, 0.45), "teeth": (1.3, 1.25, 1.15)}


def with_inner_colours(head: HeadModel, colours: Tensor) -> Tensor:
    """`colours` [V, 3] 0 to 1 with those of teeth, tongue and the mouth's inside set."""
    colours = colours.clone()
    brightness = colours[head.faces[faces_of(head, ("face",))].reshape(-1)].mean()
    for name, colour in INNER_COLOURS.items():
        colours[head.faces[head.face_regions[name]].reshape(-1)] = (torch.tensor(colour) * brightness).clamp(0, 1)
    return colours


def first_cloud(head: HeadModel, subject: Subject, count: int, sh_degree: int, seed: int) -> GaussianCloud:
    """`count` Gaussians with the colours seen in tracking: a fifth in the mouth, three tenths above the scalp, three
    hundredths on the lids, which are placed shut. Those of the neck stay with the trunk, the more the nearer its base."""
    shape = torch.from_numpy(subject.shape)
    vertices = rest_vertices(head, shape)
    colours = with_inner_colours(head, torch.from_numpy(subject.vertex_colours))
    lid_share = lids.share_of(head, shape)
    colours = lids.with_lid_colours(head, vertices, colours, lid_share)
    mouth, scalp = faces_of(head, MOUTH_REGIONS), faces_of(head, HAIR_REGIONS)
    region = torch.where(mouth, MOUTH, HEAD)
    in_mouth, in_hair = round(MOUTH_SHARE * count), round(HAIR_SHARE * count)
    lid = lid_share > 0
    on_lids = round(LID_SHARE * count) if lid.any() else 0
    on_skin = count - in_mouth - in_hair - on_lids
    skin_faces = ~mouth & ~lid  # the scalp too: it shows through thin hair
    parts = [
        initialise(vertices, head.faces, skin_faces, on_skin, colours, region, sh_degree, seed),
        initialise(vertices, head.faces, mouth, in_mouth, colours, region, sh_degree, seed + 1),
        initialise_hair(vertices, head.faces, scalp, in_hair, colours, sh_degree, seed + 2),
    ]
    if on_lids:
        shut = rest_vertices(head, shape, head.eyelid_units)
        parts.append(initialise(shut, head.faces, lid, on_lids, colours, region, sh_degree, seed + 3))
    cloud = join(parts)
    cloud.trunk_share.copy_(neck_share(head, vertices)[cloud.triangle])
    return cloud


def seen_beyond(
    head: HeadModel,
    subject: Subject,
    views: Sequence[beyond.View],
    trunk: Trunk,
    camera: Camera,
    count: int,
    sh_degree: int,
    seed: int,
) -> GaussianCloud:
    """Gaussians for what `views` show of the head beyond the mesh, as dense as `count` are on the head seen in them."""
    vertices = rest_vertices(head, torch.from_numpy(subject.shape))
    ears = vertices[head.faces[faces_of(head, ("ears",))].reshape(-1)]
    pixels = sum(view.head.sum() for view in views) / len(views)
    points = beyond.sweep(
        views, head.faces.numpy(), float(ears[:, 2].mean()), trunk, camera, count / max(pixels, 1), seed
    )
    return beyond.cloud_of(points, vertices, head.faces, faces_of(head, CARRIERS), sh_degree)
