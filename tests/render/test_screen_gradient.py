"""Gradients by where Gaussians are drawn, from which densification chooses."""

import dataclasses

import pytest
import torch

from emotag.errors import ConfigError
from emotag.render import reference
from emotag.render.base import Splats
from emotag.render.reference import TorchRenderer

FIELDS = ("means", "quaternions", "scales", "opacities", "sh")


def drawn(renderer, splats, camera, dtype):
    splats = Splats(*(getattr(splats, name).float().to(dtype).requires_grad_() for name in FIELDS))
    return renderer.render(splats, camera)


def loss_of(frame):
    random = torch.Generator().manual_seed(5)
    images = (frame.colour, frame.alpha, frame.depth)
    return sum((i * torch.randn(i.shape, generator=random, dtype=torch.float64).to(i)).sum() for i in images)


def test_it_is_the_gradient_of_a_shift_on_the_image(make_scene, camera, monkeypatch):
    splats = make_scene(60, batch=2)
    shift = torch.zeros(2, 60, 2, dtype=torch.float64, requires_grad=True)
    frame = drawn(TorchRenderer(), splats, camera, torch.float64)
    loss_of(frame).backward()
    project = reference.project

    def shifted(*arguments):
        projected = project(*arguments)
        return dataclasses.replace(projected, means=projected.means + shift)

    monkeypatch.setattr(reference, "project", shifted)
    loss_of(drawn(TorchRenderer(), splats, camera, torch.float64)).backward()
    torch.testing.assert_close(frame.screen.vector, shift.grad)
    torch.testing.assert_close(frame.screen.norm, shift.grad.square().sum(-1).sqrt())
    assert (frame.screen.norm > 0).any()


@pytest.mark.parametrize("antialiased", [False, True])
def test_cpu_is_the_reference(cpu, make_scene, camera, antialiased):
    splats = make_scene(300, batch=2)
    found = []
    for renderer, dtype in ((cpu(1), torch.float32), (TorchRenderer(), torch.float64)):
        renderer.antialiased = antialiased
        frame = drawn(renderer, splats, camera, dtype)
        loss_of(frame).backward()
        found.append(frame.screen.norm)
    assert found[0].shape == (2, 300)
    assert ((found[0].double() - found[1]).norm() / found[1].norm()).item() <= 2e-5


def test_passes_add_up(cpu, make_scene, camera):
    for renderer in (cpu(1), TorchRenderer()):
        frame = drawn(renderer, make_scene(50), camera, torch.float32)
        loss_of(frame).backward(retain_graph=True)
        once = frame.screen.vector
        loss_of(frame).backward()
        torch.testing.assert_close(frame.screen.vector, 2 * once)


def test_before_a_backward_pass_there_is_none(cpu, make_scene, camera):
    for renderer in (cpu(1), TorchRenderer()):
        frame = drawn(renderer, make_scene(5), camera, torch.float32)
        with pytest.raises(ConfigError, match="no backward pass"):
            _ = frame.screen.norm
