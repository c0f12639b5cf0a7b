import dataclasses

import pytest
import torch

from emotag.errors import ConfigError, TrainingDiverged
from emotag.geometry.camera import Camera
from emotag.geometry.rotations import quaternion_to_matrix
from emotag.render.base import Splats
from emotag.render.reference import TorchRenderer

FIELDS = ("means", "quaternions", "scales", "opacities", "sh")
IMAGES = ("colour", "alpha", "depth", "extras")


def distance(a, b):
    return ((a.double() - b).norm() / b.norm().clamp_min(1e-12)).item()


def cast(splats):
    """Rounded to float32, in float64."""
    return Splats(*(getattr(splats, name).float().double() for name in FIELDS))


def replaced(splats, **changes):
    named = {name: getattr(splats, name) for name in FIELDS}
    return Splats(**{**named, **changes})


@pytest.mark.parametrize(("coefficients", "extra"), [(1, 0), (4, 2), (9, 1), (16, 5)])
def test_image_and_gradients_are_those_of_the_reference(
    cpu, make_scene, camera, draw_with_gradients, coefficients, extra
):
    splats = make_scene(400, batch=2, coefficients=coefficients)
    extras = torch.rand(2, 400, extra, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    frame, gradients = draw_with_gradients(cpu(1), splats, camera, extras)
    truth, oracle = draw_with_gradients(TorchRenderer(), splats, camera, extras, torch.float64)
    for name in IMAGES:
        torch.testing.assert_close(getattr(frame, name).double(), getattr(truth, name), atol=1e-5, rtol=0)
    for name, gradient in gradients.items():
        assert distance(gradient, oracle[name]) <= 2e-5, name


@pytest.mark.parametrize("image", ["colour", "alpha", "depth", "extras"])
def test_gradient_of_each_image_alone(cpu, make_scene, camera, image):
    """A loss of one image, so that no other's gradients hide its own; extras are normals, made of the quaternions."""
    random = make_scene(300, batch=2)
    found = []
    for renderer, dtype in ((cpu(1), torch.float32), (TorchRenderer(), torch.float64)):
        splats = Splats(*(getattr(random, name).float().to(dtype).requires_grad_() for name in FIELDS))
        normals = quaternion_to_matrix(splats.quaternions)[..., 1]
        drawn = getattr(renderer.render(splats, camera, torch.tensor([0.2, 0.5, 0.7]), normals), image)
        weight = torch.randn(drawn.shape, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
        (drawn * weight.to(dtype)).sum().backward()
        found.append({name: getattr(splats, name).grad for name in FIELDS})
    for name, gradient in found[0].items():
        assert distance(gradient, found[1][name]) <= 2e-5, name
    assert all(found[1][name].any() for name in ("means", "quaternions", "scales", "opacities"))
    assert bool(found[1]["sh"].any()) == (image == "colour")


def test_depth_of_thin_rims_is_exact(cpu, make_scene, camera, draw_with_gradients):
    """Its divisor, 1 - T, has few digits there; far off, that would be more than the Gaussians' own distances."""
    splats = make_scene(100, batch=2)
    far = torch.tensor([0.0, 0.0, -20.0], dtype=torch.float64)
    far_camera = Camera(25 * camera.fx, 25 * camera.fy, camera.cx, camera.cy, camera.width, camera.height)
    splats = replaced(splats, means=splats.means + far, opacities=0.02 * splats.opacities)
    drawn, truth = cpu(1).render(splats, far_camera), TorchRenderer().render(cast(splats), far_camera)
    seen = truth.alpha > 0
    assert 0 < truth.alpha[seen].median() < 0.05
    assert (drawn.depth.double() - truth.depth)[seen].abs().max() <= 2e-5
    assert not drawn.depth[~seen].any()


def test_oriented_harmonics_shared_by_frames(cpu, make_scene, camera, draw_with_gradients):
    splats = make_scene(100, batch=2, coefficients=16)
    turns = torch.linalg.qr(torch.randn(2, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2)))[0]
    splats = Splats(splats.means, splats.quaternions, splats.scales, splats.opacities, splats.sh, turns)
    extras = torch.zeros(2, 100, 0)
    _, gradients = draw_with_gradients(cpu(1), splats, camera, extras)
    _, oracle = draw_with_gradients(TorchRenderer(), splats, camera, extras, torch.float64)
    for name in ("means", "sh"):
        assert distance(gradients[name], oracle[name]) <= 2e-5, name


def test_threads_do_not_change_the_bits(cpu, make_scene, camera, draw_with_gradients):
    splats, extras = make_scene(400, batch=2), torch.rand(2, 400, 1)
    first, first_gradients = draw_with_gradients(cpu(1), splats, camera, extras)
    second, second_gradients = draw_with_gradients(cpu(2), splats, camera, extras)
    for name in IMAGES:
        assert torch.equal(getattr(first, name), getattr(second, name)), name
    for name in first_gradients:
        assert torch.equal(first_gradients[name], second_gradients[name]), name


def test_batch_is_its_frames(cpu, make_scene, camera):
    splats = make_scene(200, batch=3)
    together = cpu(1).render(splats, camera)
    for b in range(3):
        one = replaced(
            splats, **{n: getattr(splats, n)[b : b + 1] for n in ("means", "quaternions", "scales", "opacities")}
        )
        assert torch.equal(cpu(1).render(one, camera).colour[0], together.colour[b])


def test_background_in_all_its_shapes(cpu, make_scene, camera):
    splats = make_scene(30)
    plain = torch.tensor([0.3, 0.6, 0.9])
    images = [
        cpu(1).render(splats, camera, background).colour
        for background in (plain, plain.expand(37, 50, 3), plain.expand(1, 37, 50, 3))
    ]
    assert torch.equal(images[0], images[1]) and torch.equal(images[0], images[2])
    picture = torch.rand(37, 50, 3)
    frame = cpu(1).render(splats, camera, picture)
    over_black = cpu(1).render(splats, camera)
    expected = over_black.colour + (1 - over_black.alpha[..., None]) * picture
    torch.testing.assert_close(frame.colour, expected, atol=1e-6, rtol=0)


def test_background_that_does_not_fit_is_refused(cpu, make_scene, camera):
    with pytest.raises(ConfigError, match=r"background has shape \(50, 37, 3\)"):
        cpu(1).render(make_scene(5), camera, torch.zeros(50, 37, 3))
    with pytest.raises(TrainingDiverged, match="background .* holds 1 values"):
        cpu(1).render(make_scene(5), camera, torch.tensor([0.1, float("nan"), 0.2]))


@pytest.mark.parametrize("case", ["none", "behind", "transparent", "beside"])
def test_nothing_to_see(cpu, make_scene, camera, draw_with_gradients, case):
    splats = make_scene(0 if case == "none" else 20)
    if case == "behind":
        splats = replaced(splats, means=splats.means * torch.tensor([1.0, 1.0, -1.0], dtype=torch.float64))
    if case == "transparent":
        splats = replaced(splats, opacities=torch.zeros_like(splats.opacities))
    if case == "beside":
        splats = replaced(splats, means=splats.means + torch.tensor([9.0, 0.0, 0.0], dtype=torch.float64))
    for renderer in (cpu(2), TorchRenderer()):
        extras = torch.zeros(1, splats.means.shape[1], 1)
        frame, gradients = draw_with_gradients(renderer, splats, camera, extras)
        assert frame.alpha.abs().max() == 0 and frame.depth.abs().max() == 0
        torch.testing.assert_close(frame.colour, torch.tensor([0.2, 0.5, 0.7]).expand_as(frame.colour))
        for name, gradient in gradients.items():
            assert not gradient.any(), name


def test_one_huge_gaussian_and_one_needle(cpu, camera, make_scene, draw_with_gradients):
    splats = make_scene(2, seed=3)
    means = torch.tensor([[[0.1, 0.0, -0.8], [0.0, 0.02, -0.7]]], dtype=torch.float64)
    scales = torch.tensor([[[30.0, 20.0, 10.0], [0.2, 1e-6, 1e-6]]], dtype=torch.float64)
    splats = replaced(splats, means=means, scales=scales, opacities=torch.tensor([[0.5, 0.9]], dtype=torch.float64))
    extras = torch.zeros(1, 2, 0)
    frame, gradients = draw_with_gradients(cpu(1), splats, camera, extras)
    truth, oracle = draw_with_gradients(TorchRenderer(), splats, camera, extras, torch.float64)
    torch.testing.assert_close(frame.colour.double(), truth.colour, atol=2e-5, rtol=0)
    assert truth.alpha.min() > 0.49
    for name in ("means", "opacities", "sh"):
        assert distance(gradients[name], oracle[name]) <= 2e-4, name


def test_one_pixel(cpu, make_scene):
    splats, camera = make_scene(50), Camera(5.0, 5.0, 0.5, 0.5, 1, 1)
    drawn, truth = cpu(1).render(splats, camera), TorchRenderer().render(splats, camera)
    torch.testing.assert_close(drawn.colour.double(), truth.colour, atol=1e-5, rtol=0)


def test_equal_depths_keep_their_order(cpu, make_scene, camera):
    splats = make_scene(40, size_m=0.05)
    means = splats.means.clone()
    means[..., 2] = -0.8
    splats = replaced(splats, means=means)
    drawn, truth = cpu(1).render(splats, camera), TorchRenderer().render(splats, camera)
    torch.testing.assert_close(drawn.colour.double(), truth.colour, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", FIELDS)
def test_values_that_are_not_finite_are_named(cpu, make_scene, camera, name):
    splats = make_scene(5)
    broken = getattr(splats, name).clone()
    broken.view(-1)[3] = float("nan")
    with pytest.raises(TrainingDiverged, match=rf"{name} .* holds 1 values"):
        cpu(1).render(replaced(splats, **{name: broken}), camera)


def test_extras_and_orientation_that_are_not_finite_are_named(cpu, make_scene, camera):
    splats = make_scene(5)
    with pytest.raises(TrainingDiverged, match=r"extras \(1, 5, 2\) holds 10 values"):
        cpu(1).render(splats, camera, extras=torch.full((1, 5, 2), float("inf")))
    with pytest.raises(TrainingDiverged, match=r"orientation \(1, 3, 3\) holds 9 values"):
        cpu(1).render(dataclasses.replace(splats, orientation=torch.full((1, 3, 3), float("nan"))), camera)


@pytest.mark.parametrize(("width", "height"), [(16, 16), (17, 15), (1, 40), (33, 1), (48, 31)])
def test_any_size(cpu, make_scene, draw_with_gradients, width, height):
    splats = make_scene(60)
    extras = torch.rand(1, 60, 1, generator=torch.Generator().manual_seed(1))
    camera = Camera(200.0, 180.0, width / 2, height / 2, width, height)
    frame, gradients = draw_with_gradients(cpu(1), splats, camera, extras)
    truth, oracle = draw_with_gradients(TorchRenderer(), splats, camera, extras, torch.float64)
    torch.testing.assert_close(frame.colour.double(), truth.colour, atol=1e-5, rtol=0)
    for name, gradient in gradients.items():
        assert distance(gradient, oracle[name]) <= 2e-5, name


def test_wrong_shapes_are_named(cpu, make_scene, camera):
    splats = make_scene(5)
    with pytest.raises(ConfigError, match="opacities has shape"):
        cpu(1).render(replaced(splats, opacities=splats.opacities[:, :4]), camera)
    with pytest.raises(ConfigError, match="5 coefficients"):
        cpu(1).render(replaced(splats, sh=torch.zeros(1, 5, 5, 3)), camera)


def test_two_hundred_thousand_gaussians(cpu, make_scene, camera):
    splats = make_scene(200_000, coefficients=1, size_m=0.002)
    frame = cpu(2).render(splats, camera)
    assert torch.isfinite(frame.colour).all() and frame.alpha.min() >= 0 and frame.alpha.max() <= 1
    assert frame.alpha.mean() > 0.5
