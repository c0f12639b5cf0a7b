import logging

import pytest
import torch

from emotag import render
from emotag.errors import AssetMissing, ConfigError
from emotag.geometry.rotations import quaternion_to_matrix
from emotag.render import forms, gsplat
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


@pytest.mark.gpu
@pytest.mark.skipif(bool(REASON), reason=f"gsplat cannot run here: {REASON}")
def test_image_and_gradients_are_those_of_the_reference(make_scene, camera, draw_with_gradients):
    splats = make_scene(300, batch=2).to("cuda")
    extras = torch.rand(2, 300, 2, device="cuda")
    frame, gradients = draw_with_gradients(render.load("gsplat"), splats, camera, extras)
    truth, oracle = draw_with_gradients(TorchRenderer(), splats.to("cpu"), camera, extras.cpu(), torch.float64)
    torch.testing.assert_close(frame.colour.double().cpu(), truth.colour, atol=1e-4, rtol=0)
    for name, gradient in gradients.items():
        assert (gradient.double().cpu() - oracle[name]).norm() / oracle[name].norm() <= 1e-3, name
