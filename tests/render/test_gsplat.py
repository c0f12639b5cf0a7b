import dataclasses
import logging
import sys
import types

import pytest
import torch

from emotag import render
from emotag.bench import scenes
from emotag.errors import AssetMissing, ConfigError
from emotag.geometry.camera import Cameras
from emotag.geometry.rotations import quaternion_product, quaternion_to_matrix
from emotag.render import forms, gsplat, reference
from emotag.render.base import Splats
from emotag.render.projection import EPS_2D, NEAR_M, project
from emotag.render.reference import TorchRenderer

REASON = gsplat.available()


def test_camera_convention(make_scene, camera):
    """Points in gsplat's frame through its pinhole (x right, y down, z ahead) land on our pixels."""
    splats = make_scene(10)
    means, quaternions = gsplat.to_gsplat(splats)
    projected = means @ gsplat.intrinsics(camera.shared(), means)[0].T
    torch.testing.assert_close(projected[..., :2] / projected[..., 2:], camera.project(splats.means))
    flip = torch.diag(torch.tensor([1.0, -1.0, -1.0], dtype=torch.float64))
    axes, expected = quaternion_to_matrix(quaternions), flip @ quaternion_to_matrix(splats.quaternions)
    torch.testing.assert_close(axes, expected)


@pytest.mark.skipif(not REASON, reason="gsplat runs here")
def test_absence_is_told_and_auto_takes_cpu(caplog):
    with pytest.raises(AssetMissing, match="gsplat.*backend cpu"):
        render.load("gsplat")
    with caplog.at_level(logging.INFO):
        assert render.load("auto", 1).name == forms.best().name
    assert "render backend: cpu" in caplog.text


def test_unknown_name_is_told():
    with pytest.raises(ConfigError, match="'opengl', expected one of auto, cpu, cpp, numba, torch, gsplat"):
        render.load("opengl")


def stand_in(means, quats, scales, opacities, colors, viewmats, Ks, width, height, near_plane, eps2d, packed,
             render_mode, rasterize_mode):  # fmt: skip
    """gsplat.rasterization of one camera a scene as its documentation (1.5.3) tells it, by our own projection."""
    assert viewmats.shape == (len(means), 1, 4, 4) and Ks.shape == (len(means), 1, 3, 3)
    assert colors.shape[:3] == (len(means), 1, means.shape[1]) and not packed and render_mode == "RGB+ED"
    assert (near_plane, eps2d) == (NEAR_M, EPS_2D)
    flip = torch.tensor([1.0, -1.0, -1.0])
    half_turn = torch.tensor([0.0, -1.0, 0.0, 0.0]).expand_as(quats)
    splats = Splats(means * flip, quaternion_product(half_turn, quats), scales, opacities, torch.zeros(1, 0, 1, 3))
    lens = torch.stack([Ks[:, 0, 0, 0], Ks[:, 0, 1, 1], Ks[:, 0, 0, 2], Ks[:, 0, 1, 2]], -1)
    cameras = Cameras(lens, width, height)
    projected = project(splats, cameras)
    means2d = projected.means[:, None] + 0
    projected = dataclasses.replace(projected, means=means2d[:, 0])
    factor = {"antialiased": projected.compensation, "classic": 1}[rasterize_mode]
    values = torch.cat([colors[:, 0], projected.depths[..., None]], -1)
    drawn = [
        reference._draw_frame(projected, b, (opacities * factor)[b], values[b], cameras) for b in range(len(means))
    ]
    blended, alpha = (torch.stack(images)[:, None] for images in zip(*drawn, strict=True))
    blended = torch.cat([blended[..., :-1], blended[..., -1:] / alpha[..., None].clamp(min=1e-10)], -1)
    return blended, alpha[..., None], {"means2d": means2d}


@pytest.mark.parametrize("antialiased", [False, True])
def test_what_is_given_to_gsplat_and_made_of_its_answer(
    make_scene, camera, draw_with_gradients, monkeypatch, antialiased
):
    """Frames, gradients and screen gradients with a stand-in for the CUDA function are those of the reference."""
    monkeypatch.setattr(gsplat, "available", lambda: "")
    monkeypatch.setitem(sys.modules, "gsplat", types.SimpleNamespace(rasterization=stand_in))
    monkeypatch.setattr(gsplat.GsplatRenderer, "device", "cpu")
    compare(gsplat.GsplatRenderer(antialiased), make_scene(150, batch=2), camera, draw_with_gradients, 1e-4, 1e-4)


def test_a_lens_to_be_learnt_is_refused(make_scene, monkeypatch):
    monkeypatch.setattr(gsplat, "available", lambda: "")
    monkeypatch.setitem(sys.modules, "gsplat", types.SimpleNamespace(rasterization=stand_in))
    lens = torch.tensor([[50.0, 50.0, 5.0, 5.0]], requires_grad=True)
    with pytest.raises(ConfigError, match="lens requires a gradient"):
        gsplat.GsplatRenderer().render(make_scene(3), Cameras(lens, 10, 10))


def compare(renderer, splats, camera, draw_with_gradients, largest, relative):
    """Against the reference in float64: images, gradients, and where Gaussians are drawn; with two lenses too."""
    device = splats.means.device
    lenses = camera.shared().lens * torch.tensor([[1.0, 1.0, 1.0, 1.0], [0.7, 0.8, 1.1, 0.9]], dtype=torch.float64)
    extras = torch.rand(2, splats.means.shape[1], 2)
    for cameras in (camera, Cameras(lenses, camera.width, camera.height)):
        frame, gradients = draw_with_gradients(renderer, splats, cameras, extras.to(device))
        truth, oracle = draw_with_gradients(
            TorchRenderer(renderer.antialiased), splats.to("cpu"), cameras, extras, torch.float64
        )
        assert frame.colour.device == device
        for name in ("colour", "alpha", "extras"):
            torch.testing.assert_close(getattr(frame, name).double().cpu(), getattr(truth, name), atol=largest, rtol=0)
        gradients |= {"screen": frame.screen.vector}
        oracle |= {"screen": truth.screen.vector}
        for name, gradient in gradients.items():
            assert (gradient.double().cpu() - oracle[name]).norm() / oracle[name].norm() <= relative, name


@pytest.mark.gpu
@pytest.mark.skipif(bool(REASON), reason=f"gsplat cannot run here: {REASON}")
@pytest.mark.parametrize("antialiased", [False, True])
@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_image_and_gradients_are_those_of_the_reference(make_scene, camera, draw_with_gradients, antialiased, device):
    splats = make_scene(300, batch=2).to(device)
    compare(gsplat.GsplatRenderer(antialiased), splats, camera, draw_with_gradients, 1 / 255, 1e-3)


@pytest.mark.gpu
@pytest.mark.skipif(bool(REASON), reason=f"gsplat cannot run here: {REASON}")
def test_cpu_and_gsplat_draw_the_same_head():
    """The bench's scene, far beyond what the reference can draw, on both fast back ends."""
    scene = scenes.ellipsoid("", 10_000, 256, 2.8)
    images, gradients = [], []
    for renderer in (render.load("cpu"), render.load("gsplat")):
        means = scene.splats.means.clone().requires_grad_()
        frame = renderer.render(dataclasses.replace(scene.splats, means=means), scene.camera)
        (frame.colour**2).mean().backward()
        images.append(frame.colour.detach())
        gradients.append(means.grad)
    assert (images[0] - images[1]).abs().max() <= 1 / 255
    assert (gradients[0] - gradients[1]).norm() / gradients[0].norm() <= 1e-3
