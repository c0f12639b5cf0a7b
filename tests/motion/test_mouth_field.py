"""Mouth field: starts as nothing, splits its first layer exactly, acts under the gate."""

from dataclasses import replace

import pytest
import torch

from emotag.errors import ArtifactMismatch
from emotag.motion import mouth_field
from emotag.motion.mouth_field import MouthArchitecture, MouthField, TriPlane, canonical_positions


def field(points=40):
    torch.manual_seed(0)
    return MouthField(MouthArchitecture(condition=8, levels=3, hidden=16), torch.rand(points, 3) * 2 - 1)


def disturbed(points=40):
    built = field(points)
    for parameter in built.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return built


def test_starts_as_no_change():
    offsets = field()(torch.randn(3, 8), torch.rand(3, 1), torch.randn(3, 7))
    assert [tuple(part.shape) for part in offsets] == [(3, 40, 3), (3, 40, 4), (3, 40, 3)]
    assert all(torch.count_nonzero(part) == 0 for part in offsets)


def test_split_first_layer_equals_the_joined_one():
    head = disturbed().base
    encoding, condition = torch.randn(5, head.position.in_features), torch.randn(2, 8)
    weight = torch.cat([head.position.weight, head.condition.weight], 1)
    joined = torch.cat([encoding.expand(2, -1, -1), condition[:, None].expand(-1, 5, -1)], -1)
    hidden = torch.relu(joined @ weight.T + head.position.bias)
    assert torch.allclose(head(encoding, condition), head.last(torch.relu(head.middle(hidden))), atol=1e-5)


def test_closed_gate_hides_the_emotion():
    built = disturbed()
    condition, closed = torch.randn(2, 8), torch.zeros(2, 1)
    a, b = (built(condition, closed, emotion).mean for emotion in (torch.randn(2, 7), torch.randn(2, 7)))
    assert torch.equal(a, b)
    assert not torch.equal(a, built(condition, closed + 1, torch.randn(2, 7)).mean)


def test_without_a_gate_the_emotion_shows_as_if_it_were_open():
    gated = disturbed()
    free = MouthField(replace(gated.architecture, gated=False), gated.positions)
    free.load_state_dict(gated.state_dict())
    condition, emotion = torch.randn(2, 8), torch.randn(2, 7)
    shown = free(condition, torch.rand(2, 1), emotion)
    assert all(torch.equal(a, b) for a, b in zip(shown, gated(condition, torch.ones(2, 1), emotion), strict=True))
    again = mouth_field.load(free.arrays(), free.architecture.plain())
    assert torch.equal(again(condition, torch.zeros(2, 1), emotion).mean, shown.mean)


def test_gradient_reaches_every_parameter():
    built = disturbed(400)
    sum(part.square().sum() for part in built(torch.randn(2, 8), torch.rand(2, 1), torch.randn(2, 7))).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in built.parameters())


def test_grid_nodes_are_read_exactly():
    plane = TriPlane(1, 5, 5)
    corner = torch.tensor([[-1.0, -1.0, 1.0]])
    grid = plane.grids[0].detach()
    # grid_sample takes (x, y) with x along the last axis: planes xy, yz, zx at the corner's nodes
    expected = torch.stack([grid[0, 0, 0, 0], grid[1, 0, 4, 0], grid[2, 0, 0, 4]])
    assert torch.allclose(plane(corner)[0], expected)


def test_canonical_positions_fill_the_cube_and_keep_proportions():
    points = torch.tensor([[0.0, 0.0, 0.1], [0.04, 0.01, 0.1], [0.02, 0.02, 0.12]])
    out = canonical_positions(points)
    assert out.abs().amax() == 1
    assert torch.allclose(torch.pdist(out) / torch.pdist(points), torch.full((3,), 50.0))


def test_stored_and_loaded_field_gives_the_same_bits():
    built = disturbed()
    loaded = mouth_field.load(built.arrays(), built.architecture.plain())
    args = torch.randn(2, 8), torch.rand(2, 1), torch.randn(2, 7)
    assert all(torch.equal(a, b) for a, b in zip(loaded(*args), built(*args), strict=True))
    with pytest.raises(ArtifactMismatch, match="adapt the identity again"):
        mouth_field.load(built.arrays(), built.architecture.plain() | {"hidden": 8})
