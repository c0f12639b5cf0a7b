"""Eyelids: which faces they are, where their Gaussians begin, and what holds those."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from emotag.artifacts import Subject
from emotag.gaussians import lids
from emotag.gaussians.binding import Binding
from emotag.gaussians.cloud import PARAMETERS
from emotag.gaussians.deformer import rest_vertices
from emotag.gaussians.person import LID_SHARE, first_cloud

COUNT = 2000


@pytest.fixture(scope="module")
def shape(head):
    return torch.zeros(head.shape_size)


@pytest.fixture(scope="module")
def share(head, shape):
    return lids.share_of(head, shape)


@pytest.fixture(scope="module")
def subject(head, shape):
    vertices = len(head.vertex_regions["skin"])
    units = len(head.expression_names)
    return Subject(
        head_model=head.name, expression_names=list(head.expression_names), shape=shape.numpy(),
        camera={}, landmark_offsets=np.zeros((478, 3), np.float32), neutral_expression=np.zeros(units, np.float32),
        neutral_jaw=np.zeros(3, np.float32), vertex_colours=np.full((vertices, 3), 0.5, np.float32), clip="c", part=[0, 1],
    )  # fmt: skip


def test_lids_lie_before_the_eyes_and_nowhere_else(head, shape, share):
    vertices = rest_vertices(head, shape)
    balls = vertices[head.vertex_regions["eyeballs"]]
    centres = vertices[head.faces[share > 0]].mean(1)
    away = torch.cdist(centres, balls).min(1).values
    assert (share == 1).any() and share.min() == 0 and 50 < (share > 0).sum() < 0.1 * len(share)
    assert away.max() < 0.02
    # As many on the left as on the right, within a fifth.
    left, right = (float(share[(side * vertices[head.faces].mean(1)[:, 0]) > 0].sum()) for side in (1, -1))
    assert abs(left - right) < 0.2 * (left + right)


def test_a_head_without_units_for_eyelids_has_none(head, shape, subject, monkeypatch):
    monkeypatch.setattr(type(head), "eyelid_units", ())
    assert not lids.share_of(head, shape).any()
    cloud = first_cloud(head, subject, COUNT, 0, 0)
    hold = lids.Hold.of(head, shape, cloud)
    assert len(cloud) == COUNT and not len(hold.index) and float(hold(cloud).detach()) == 0.0


def test_their_gaussians_lie_on_the_shut_eye(head, shape, share, subject):
    cloud = first_cloud(head, subject, COUNT, 0, 0)
    on_lids = share[cloud.triangle] > 0
    assert len(cloud) == COUNT and on_lids.sum() == round(LID_SHARE * COUNT)
    shut = rest_vertices(head, shape, head.eyelid_units)
    splats = Binding(cloud.triangle, head.faces)(cloud, shut[None])
    corners = shut[head.faces[cloud.triangle]]
    normal = torch.linalg.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    height = ((splats.means[0] - corners[:, 0]) * normal / normal.norm(dim=1, keepdim=True)).sum(1)
    assert height[on_lids].abs().max() < 1e-6


def test_their_colour_is_the_skins_around_the_eye(head, shape, share):
    vertices = rest_vertices(head, shape)
    lid = torch.zeros(len(vertices), dtype=torch.bool)
    lid[head.faces[share > 0]] = True
    colours = torch.where(lid[:, None], 0.1, 0.6).expand(-1, 3).clone()
    drawn = lids.with_lid_colours(head, vertices, colours, share)
    wholly = torch.ones(len(vertices), dtype=torch.bool)
    wholly[head.faces[share < 1]] = False
    assert wholly.any() and torch.allclose(drawn[wholly], torch.tensor(0.6))
    assert torch.equal(drawn[~lid], colours[~lid]) and (drawn[lid] >= 0.1).all()


@pytest.mark.parametrize("name", PARAMETERS)
def test_the_hold_is_nothing_at_first_and_pulls_back_what_moved(head, shape, share, subject, name):
    cloud = first_cloud(head, subject, COUNT, 0, 0)
    hold = lids.Hold.of(head, shape, cloud)
    assert float(hold(cloud).detach()) == 0.0
    with torch.no_grad():
        getattr(cloud, name).add_(0.5)
    hold(cloud).backward()
    gradient = getattr(cloud, name).grad.reshape(COUNT, -1)
    # Eyeballs are held in their place alone.
    held = share[cloud.triangle] > 0
    if name == "mean":
        held |= head.face_regions["eyeballs"][cloud.triangle]
    assert (gradient[held] > 0).all() and not gradient[~held].any()


def test_the_hold_by_hand(head, shape, subject):
    cloud = first_cloud(head, subject, COUNT, 0, 0)
    hold = lids.Hold.of(head, shape, cloud)
    hold = replace(hold, place=torch.ones(len(hold.index)), look=torch.full((len(hold.index),), 0.5))
    with torch.no_grad():
        cloud.mean.add_(2.0)
        cloud.opacity_logit.sub_(3.0)
    assert float(hold(cloud).detach()) == pytest.approx(3 * 4.0 + 0.5 * 0.1 * 9.0, rel=1e-5)
