"""The demo's picture: subdivision is flat, light follows closed forms, and a face detector's head is where it should be."""

import numpy as np
import pytest
import torch

from emotag.geometry.camera import Camera
from emotag.render.mesh import rasterise
from emotag.synthetic.appearance import LIP_OUTLINE, Look, linear, lip_red
from emotag.synthetic.figure import Figure, backdrop
from emotag.synthetic.lighting import STUDIO, WRAP, lit
from emotag.synthetic.surface import Noise, lowest_loop, smoothstep, subdivide
from emotag.synthetic.talker import default_camera

SQUARE = np.array([[-1, -1, -2], [1, -1, -2], [1, 1, -2], [-1, 1, -2]], float)
FACES = np.array([[0, 1, 2], [0, 2, 3]])


def area(vertices, faces):
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    return np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2


def test_subdivision_keeps_the_surface():
    division = subdivide(FACES, 4, 2)
    points = division(SQUARE)
    assert len(division.faces) == 32 and len(points) == 25
    assert area(points, division.faces) == pytest.approx(4)
    np.testing.assert_allclose(division(SQUARE @ np.diag([2, 3, 1])), points @ np.diag([2, 3, 1]))


def test_lowest_loop_goes_round_the_lower_edge():
    assert sorted(lowest_loop(FACES, SQUARE[:, 1])) == [0, 1, 2, 3]


def test_noise_repeats_and_smoothstep_is_bounded():
    points = np.random.default_rng(0).normal(size=(50, 3))
    np.testing.assert_array_equal(Noise(3)(points, 0.1), Noise(3)(points, 0.1))
    np.testing.assert_allclose(smoothstep(np.array([-1.0, 0.5, 2.0]), 0, 1), [0, 0.5, 1])


def test_light_of_a_surface_that_looks_down():
    # Turned away from every lamp: only sky and ground reach it.
    normal = np.array([-0.3, -0.95, 0.0]) / np.hypot(0.3, 0.95)
    assert (STUDIO.directions @ normal).max() < -WRAP
    surface = np.tile([*normal, 0.5, 0.5, 0.5, 0], (4, 1))
    frame = rasterise(SQUARE, FACES, Camera(8, 8, 8, 8, 16, 16))
    picture = lit(frame, FACES, SQUARE, surface, np.ones((16, 16, 3)))
    up = 0.5 + 0.5 * normal[1]
    np.testing.assert_allclose(picture[8, 8], 0.5 * (up * STUDIO.sky + (1 - up) * STUDIO.ground), rtol=1e-5)
    np.testing.assert_array_equal(picture[0, 0], 1.0)


def test_half_of_the_light_is_half_as_bright():
    surface = np.tile([0, 0, 1.0, 0.5, 0.5, 0.5, 0.3], (4, 1))
    frame = rasterise(SQUARE, FACES, Camera(8, 8, 8, 8, 16, 16))
    full = lit(frame, FACES, SQUARE, surface, np.zeros((16, 16, 3)))
    half = lit(frame, FACES, SQUARE, surface, np.zeros((16, 16, 3)), open_share=np.full((8, 8), 0.5, np.float32))
    np.testing.assert_allclose(half, 0.5 * full, rtol=1e-5)


def test_lips_are_red_inside_the_landmarks_outline(head):
    rest, points = head.neutral.double().numpy(), head.landmarks(head.neutral[None])[0].double().numpy()
    region = {name: head.vertex_regions[name].double().numpy() for name in ("lips", "skin")}
    red = lip_red(rest, points, region)
    outline = points[list(LIP_OUTLINE)]
    middle = outline.mean(0)
    for factor, share in ((0.85, 1.0), (1.15, 0.0)):
        ring = middle + factor * (outline - middle)
        np.testing.assert_allclose(
            lip_red(ring, points, {"lips": np.ones(20), "skin": np.ones(20)})[1:10], share, atol=0.05
        )
    mesh = region["lips"] > 0.5
    assert (mesh & (red > 0.5)).sum() > 0.75 * mesh.sum() and red[rest[:, 1] > -0.02].max() == 0


def test_picture_shows_head_shirt_and_wall(head):
    camera, look, zero = default_camera(128), Look(), torch.zeros
    pose = [zero(1, n) for n in (len(head.expression_names), 3, 3, 6, 3)]
    stand = np.array([0.0, 0.0, -0.75])
    shape = np.zeros(head.shape_size, np.float32)
    vertices = head.vertices(torch.from_numpy(shape)[None], *pose, torch.from_numpy(stand)[None].float())[0].numpy()
    wall = backdrop(camera, look, 0)
    picture = Figure(head, shape, look, 0).draw(vertices, stand, camera, wall)
    assert picture.shape == (128, 128, 3) and picture.dtype == np.uint8

    def at(x, y):
        column, row = camera.project(torch.tensor([x, y, -0.66])).int().tolist()
        return (picture[row, column] / 255.0) ** 2.2

    cheek, shirt, hair = at(0.045, -0.02), at(0.0, -0.16), at(0.0, 0.115)
    assert cheek[0] > 1.2 * cheek[2] and shirt[2] > shirt[0] and hair.sum() < 0.4 * cheek.sum()
    np.testing.assert_allclose((picture[2, 2] / 255.0) ** 2.2, wall[5, 5], atol=0.02)
    assert np.all(linear(look.skin) < look.skin)
