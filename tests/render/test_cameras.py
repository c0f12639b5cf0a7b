"""A lens a frame, and gradients by the camera: its lens, and where it stands."""

import dataclasses

import pytest
import torch
from torch.nn.functional import normalize

from emotag.errors import ConfigError, TrainingDiverged
from emotag.geometry.camera import Camera, Cameras
from emotag.geometry.rotations import axis_angle_to_matrix, quaternion_product, quaternion_to_matrix
from emotag.render.base import Splats
from emotag.render.reference import TorchRenderer

LENSES = torch.tensor([[150.0, 140.0, 24.3, 19.1], [90.0, 110.0, 30.0, 12.5]], dtype=torch.float64)


def distance(a, b):
    return ((a.double() - b).norm() / b.norm()).item()


def loss_of(frame):
    random = torch.Generator().manual_seed(5)
    images = (frame.colour, frame.alpha, frame.depth)
    return sum((i * torch.randn(i.shape, generator=random, dtype=torch.float64).to(i)).sum() for i in images)


def cast(splats, dtype):
    names = ("means", "quaternions", "scales", "opacities", "sh")
    return Splats(*(getattr(splats, name).float().to(dtype) for name in names))


def test_points_through_each_lens():
    points = torch.randn(2, 7, 3, dtype=torch.float64) - torch.tensor([0.0, 0.0, 5.0])
    together = Cameras(LENSES, 50, 37).project(points)
    for b, lens in enumerate(LENSES.tolist()):
        torch.testing.assert_close(together[b], Camera(*lens, 50, 37).project(points[b]))


def test_a_lens_a_frame_is_one_camera_after_the_other(cpu, make_scene):
    splats = make_scene(200, batch=2)
    for renderer in (cpu(1), TorchRenderer()):
        together = renderer.render(splats, Cameras(LENSES, 50, 37))
        for b, lens in enumerate(LENSES.tolist()):
            fields = (splats.means, splats.quaternions, splats.scales, splats.opacities)
            one = renderer.render(Splats(*(a[b : b + 1] for a in fields), splats.sh), Camera(*lens, 50, 37))
            assert torch.equal(one.colour[0], together.colour[b]) and torch.equal(one.depth[0], together.depth[b])


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("antialiased", [True, False])
def test_gradient_by_the_lens(cpu, make_scene, shared, antialiased):
    splats = make_scene(300, batch=2)
    # Wide ones beyond the bounds of the Jacobian, too, on all four sides.
    sides = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1]], dtype=torch.float64)
    splats.means[:, :4, :2] = 0.45 * sides
    splats.means[:, :4, 2] = -0.7
    splats.scales[:, :4] = torch.tensor([0.2, 0.15, 0.1], dtype=torch.float64)
    found = []
    for renderer, dtype in ((cpu(1), torch.float32), (TorchRenderer(), torch.float64)):
        renderer.antialiased = antialiased
        lens = LENSES[: 1 if shared else 2].clone().requires_grad_()
        loss_of(renderer.render(cast(splats, dtype), Cameras(lens, 50, 37))).backward()
        assert lens.grad.shape == lens.shape
        found.append(lens.grad)
    assert distance(*found) <= 2e-5


def test_lens_of_the_reference_by_finite_differences(make_scene):
    splats = make_scene(4, size_m=0.04)
    splats.means[:, 0, :2] = 0.5
    splats.scales[:, 0] = 0.3
    lens = torch.tensor([[20.0, 18.0, 3.0, 2.5]], dtype=torch.float64, requires_grad=True)

    def image(lens):
        return TorchRenderer().render(splats, Cameras(lens, 6, 5)).colour

    assert torch.autograd.gradcheck(image, [lens], eps=1e-6, atol=1e-5, rtol=1e-3)


def test_gradient_by_where_the_camera_stands(cpu, make_scene, camera):
    """Points and axes of the world go into the camera's frame by a turn and a move, which get the gradient."""
    splats = make_scene(300, coefficients=9)
    start = torch.tensor([0.9, 0.05, -0.1, 0.03], dtype=torch.float64), torch.tensor([0.01, -0.02, 0.03])
    found = []
    for renderer, dtype in ((cpu(1), torch.float32), (TorchRenderer(), torch.float64)):
        turn, move = (value.to(torch.float64).requires_grad_() for value in start)
        world = cast(splats, torch.float64)
        unit = normalize(turn, dim=0)
        means = world.means @ quaternion_to_matrix(unit).T + move
        quaternions = quaternion_product(unit.expand_as(world.quaternions), world.quaternions)
        seen = Splats(means.float().to(dtype), quaternions.float().to(dtype), *(
            getattr(world, name).to(dtype) for name in ("scales", "opacities", "sh")
        ))  # fmt: skip
        loss_of(renderer.render(seen, camera)).backward()
        found.append((turn.grad, move.grad))
    for gradient, oracle in zip(*found, strict=True):
        assert distance(gradient, oracle) <= 2e-5


def test_gradient_by_the_turn_of_the_harmonics(cpu, make_scene, camera):
    """By the parameters of a rotation, one a frame."""
    splats = make_scene(300, batch=2, coefficients=16)
    found = []
    for renderer, dtype in ((cpu(1), torch.float32), (TorchRenderer(), torch.float64)):
        turn = torch.tensor([[0.3, -0.5, 0.2], [1.2, 0.1, -0.4]], dtype=torch.float64, requires_grad=True)
        oriented = dataclasses.replace(cast(splats, dtype), orientation=axis_angle_to_matrix(turn).to(dtype))
        loss_of(renderer.render(oriented, camera)).backward()
        found.append(turn.grad)
    assert distance(*found) <= 2e-5


def test_lens_that_does_not_fit_is_told(cpu, make_scene):
    with pytest.raises(ConfigError, match=r"lens has shape \(2, 4\), expected \(3, 4\)"):
        cpu(1).render(make_scene(5, batch=3), Cameras(LENSES, 50, 37))
    with pytest.raises(TrainingDiverged, match="lens .* holds 1 values"):
        cpu(1).render(make_scene(5), Cameras(torch.tensor([[1.0, float("inf"), 1.0, 1.0]]), 50, 37))
