"""Eyelids: skin that lies folded while the eyes are open, so that five seconds show little or nothing of it.

Gaussians there begin on the mesh with its eyes shut, in the colour of the skin around the eye, and are held to that beginning
by a squared distance. Without, what pictures hardly see wanders (Adam makes every gradient a whole step), and whoever does not
blink in the part closes torn lids later.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from emotag.gaussians.cloud import HEAD, PARAMETERS, GaussianCloud
from emotag.gaussians.deformer import rest_vertices
from emotag.gaussians.placement import areas_of, faces_of
from emotag.head.base import HeadModel

REGIONS = ("skin", "eyelids")
# A face belongs to a lid from the first growth on when the eyes shut, and wholly from the second.
GROWTH = (1.15, 2.0)
# The skin around an eye, by distances from the eyeball's centre in its radii.
AROUND = (2.0, 3.0)
# By parameter; an opacity's logit has the widest range.
WEIGHTS = dict.fromkeys(PARAMETERS, 1.0) | {"opacity_logit": 0.1}


def share_of(head: HeadModel, shape: Tensor) -> Tensor:
    """[F] 0 to 1: how much of a lid each face is; 0 where the head model has no units for eyelids."""
    still, shut = (areas_of(rest_vertices(head, shape, units)[head.faces]) for units in ((), head.eyelid_units))
    share = ((shut / still.clamp_min(1e-12) - GROWTH[0]) / (GROWTH[1] - GROWTH[0])).clamp(0, 1)
    return torch.where(faces_of(head, REGIONS) & head.face_regions["face"], share, 0.0).float()


def with_lid_colours(head: HeadModel, vertices: Tensor, colours: Tensor, share: Tensor) -> Tensor:
    """`colours` [V, 3] 0 to 1 with those of lids drawn to the skin around their eye, by the mean `share` [F] of a vertex's
    faces; `vertices` [V, 3] m at rest."""
    corners, lid = head.faces.reshape(-1), torch.zeros(2, len(vertices))
    lid[0].index_add_(0, corners, share.repeat_interleave(3))
    lid[1].index_add_(0, corners, torch.ones(len(corners)))
    lid = lid[0] / lid[1].clamp_min(1)
    regions = head.vertex_regions
    plain = regions["skin"] & ~regions["brows"] & ~regions["eyelids"] & (lid == 0)
    skin = colours.clone()
    for side in (1, -1):
        ball = vertices[regions["eyeballs"] & (side * vertices[:, 0] > 0)]
        centre = ball.mean(0)
        radius = (ball - centre).norm(dim=1).mean()
        distance = (vertices - centre).norm(dim=1) / radius
        around = plain & (distance > AROUND[0]) & (distance < AROUND[1]) & (vertices[:, 2] > centre[2] - radius)
        if around.any():
            skin[side * vertices[:, 0] > 0] = colours[around].median(0).values
    return torch.lerp(colours, skin, lid[:, None])


@dataclass(frozen=True)
class Hold:
    """Squared distance of the Gaussians `index` [n] to what they were when `begun`: of their means by `place` [n], of all else
    by `look` [n], 0 to 1. Lids are held in both, by how much of a lid they are; eyeballs in their place alone, or else they
    poke through the lids, as pictures say little of their depth."""

    index: Tensor
    place: Tensor
    look: Tensor
    begun: dict[str, Tensor]

    @classmethod
    def of(cls, head: HeadModel, shape: Tensor, cloud: GaussianCloud) -> "Hold":
        """Of a cloud that has not been trained; nothing where the head model has no units for eyelids."""
        on_skin = cloud.region == HEAD
        look = torch.where(on_skin, share_of(head, shape)[cloud.triangle], 0.0)
        eyes = on_skin & head.face_regions["eyeballs"][cloud.triangle] & look.any()
        place = torch.where(eyes, 1.0, look)
        index = torch.nonzero(place).squeeze(-1)
        begun = {name: getattr(cloud, name).detach()[index].clone() for name in PARAMETERS}
        return cls(index, place[index], look[index], begun)

    def __call__(self, cloud: GaussianCloud) -> Tensor:
        """The mean over the Gaussians held, summed over parameters by `WEIGHTS`; 0 of none."""
        moved = cloud.mean.new_zeros(len(self.index))
        for name, begun in self.begun.items():
            away = (getattr(cloud, name)[self.index] - begun).square()[..., None].flatten(1).sum(1)
            moved = moved + WEIGHTS[name] * away * (self.place if name == "mean" else self.look)
        return moved.sum() / max(len(self.index), 1)
