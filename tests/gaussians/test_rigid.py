"""A face moved as a whole against the deformer that poses, binds and holds anew each time."""

import pytest
import torch

from emotag.gaussians.deformer import RiggedDeformer
from emotag.gaussians.placement import initialise
from emotag.gaussians.rigid import rigid_vertices
from emotag.gaussians.trunk import Trunk
from emotag.geometry.rotations import axis_angle_to_matrix, quaternion_to_matrix
from emotag.motion.codes import Codes

POSES = 4


class Head:
    """An octahedron whose lowest vertex, the neck's base, takes a share of the rotation; the expression raises the top."""

    name, expression_names, shape_size = "octahedron", ("raise",), 2
    faces = torch.tensor([[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]])
    rest = 0.1 * torch.tensor([[1.0, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])

    def __init__(self, neck_share):
        self.neck_share = neck_share

    def vertices(self, shape, expression, jaw, neck, eyes, rotation, translation):
        top = torch.zeros(6, 3)
        top[2, 1] = 0.02
        local = self.rest + expression[:, :, None] * top
        head = local @ axis_angle_to_matrix(rotation).transpose(1, 2)
        base = local @ axis_angle_to_matrix(self.neck_share * rotation + neck).transpose(1, 2)
        lowest = torch.arange(6)[:, None] == 3
        return torch.where(lowest & (self.neck_share < 1), base, head) + translation[:, None]

    def soft_limits(self, expression):
        return expression


def deformer_of(head):
    random = torch.Generator().manual_seed(0)
    everywhere = torch.ones(8, dtype=torch.bool)
    cloud = initialise(head.rest, head.faces, everywhere, 200, torch.rand(6, 3), torch.zeros(8), 1).requires_grad_(
        False
    )
    cloud.quaternion += 0.5 * torch.randn(200, 4, generator=random)
    cloud.mean += 0.2 * torch.randn(200, 3, generator=random)
    cloud.trunk_share[::3] = torch.rand(67, generator=random)
    trunk = Trunk(axis_angle_to_matrix(torch.tensor([0.1, 0.2, 0.0])), torch.tensor([0.0, 0.01, -0.5]))
    return RiggedDeformer(head, torch.zeros(2), cloud, None, trunk)


def codes():
    random = torch.Generator().manual_seed(1)
    sizes = {"expression": 1, "jaw": 3, "neck": 3, "eyes": 6, "gate": 1, "emotion": 7, "condition": 1}
    face = {name: 0.3 * torch.rand(1, size, generator=random).repeat(POSES, 1) for name, size in sizes.items()}
    rotation, shift = 0.5 * torch.randn(POSES, 3, generator=random), 0.1 * torch.randn(POSES, 3, generator=random)
    return Codes(**face, rotation=rotation, translation=shift - torch.tensor([0.0, 0.0, 0.6]))


@pytest.mark.parametrize("neck_share", [1.0, 0.3])
def test_moved_as_a_whole_is_posed_bound_and_held(neck_share):
    deformer, posed = deformer_of(Head(neck_share)), codes()
    rigid = rigid_vertices(deformer.head)
    assert rigid.tolist() == [True, True, True, neck_share == 1, True, True]
    expected = deformer(posed, mouth_moves=False)
    moved = list(deformer.still(posed[:1]).at(posed.rotation, posed.translation, deformer.mesh(posed)))
    assert len(moved) == POSES
    for i, splats in enumerate(moved):
        for name in ("means", "scales", "orientation"):
            torch.testing.assert_close(getattr(splats, name)[0], getattr(expected, name)[i], rtol=1e-5, atol=1e-6)
        # A quaternion and its negative are one rotation.
        turned, truth = (quaternion_to_matrix(one) for one in (splats.quaternions[0], expected.quaternions[i]))
        torch.testing.assert_close(turned, truth, rtol=0, atol=1e-5)
        assert torch.equal(splats.opacities[0], expected.opacities[i]) and torch.equal(splats.sh, expected.sh)
    # Neither is what is moved next written over what was given out.
    assert not torch.equal(moved[0].means, moved[1].means)
