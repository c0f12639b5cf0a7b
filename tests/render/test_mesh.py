import numpy as np
import pytest

from emotag.geometry.camera import Camera
from emotag.render import mesh

CAMERA = Camera(100.0, 100.0, 32.0, 32.0, 64, 64)


def on_screen(x, y, depth):
    """The point in the camera's frame that projects to pixel (x, y)."""
    return [(x - 32) / 100 * depth, -(y - 32) / 100 * depth, -depth]


def test_right_triangle_covers_its_closed_form_pixels():
    corners = np.array([on_screen(10, 10, 2), on_screen(50, 10, 2), on_screen(10, 50, 2)])
    frame = mesh.rasterise(corners, np.array([[0, 1, 2]]), CAMERA)
    row, column = np.mgrid[:64, :64] + 0.5
    inside = (column > 10) & (row > 10) & (column + row < 60)
    outside = (column < 10) | (row < 10) | (column + row > 60)
    assert frame.covered[inside].all() and not frame.covered[outside].any()
    assert np.allclose(frame.depth[frame.covered], 2, atol=1e-6)
    assert (frame.depth[~frame.covered] == 0).all()


def test_tilted_plane_has_its_closed_form_depth():
    corners = np.array([on_screen(5, 5, 1), on_screen(60, 8, 3), on_screen(20, 60, 2)])
    frame = mesh.rasterise(corners, np.array([[0, 1, 2]]), CAMERA)
    normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
    row, column = np.nonzero(frame.covered)
    ray = np.stack([(column + 0.5 - 32) / 100, -(row + 0.5 - 32) / 100, -np.ones(len(row))], 1)
    expected = normal @ corners[0] / (ray @ normal)
    assert np.allclose(frame.depth[frame.covered], expected, rtol=1e-5)
    weights = frame.barycentric[frame.covered]
    assert np.allclose(weights.sum(1), 1, atol=1e-6)
    assert np.allclose(weights @ corners, ray * expected[:, None], atol=1e-5)
    assert np.allclose(mesh.interpolate(frame, np.array([[0, 1, 2]]), -corners[:, 2:])[frame.covered][:, 0], expected)


@pytest.mark.parametrize("order", [[0, 1], [1, 0]])
@pytest.mark.parametrize("flip", [False, True])
def test_nearest_wins_whatever_the_order(order, flip):
    near = [on_screen(20, 20, 1), on_screen(40, 20, 1), on_screen(20, 40, 1)]
    far = [on_screen(0, 0, 2), on_screen(64, 0, 2), on_screen(0, 64, 2)]
    faces = np.array([[0, 1, 2], [3, 5, 4] if flip else [3, 4, 5]])[order]
    frame = mesh.rasterise(np.array(near + far), faces, CAMERA)
    assert frame.face_index[25, 25] == order.index(0) and frame.depth[25, 25] == pytest.approx(1)
    assert frame.face_index[5, 5] == order.index(1) and frame.depth[5, 5] == pytest.approx(2)


def test_behind_the_camera_is_left_out():
    corners = np.array([on_screen(5, 5, 1), on_screen(60, 8, 1), [0.0, 0.0, 1.0]])
    assert not mesh.rasterise(corners, np.array([[0, 1, 2]]), CAMERA).covered.any()


def sphere(radius=0.3, rings=40, centre=(0, 0, -2.0)):
    polar, around = np.meshgrid(np.linspace(1e-3, np.pi - 1e-3, rings), np.linspace(0, 2 * np.pi, 2 * rings, False))
    unit = np.stack([np.sin(polar) * np.cos(around), np.cos(polar), np.sin(polar) * np.sin(around)], -1).reshape(-1, 3)
    number = np.arange(2 * rings * rings).reshape(2 * rings, rings)
    a, b = number, np.roll(number, -1, 0)
    quads = np.stack([a[:, :-1], a[:, 1:], b[:, 1:], b[:, :-1]], -1).reshape(-1, 4)
    faces = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]])
    return unit, unit * radius + centre, faces


def test_sphere_normals_and_silhouette():
    unit, vertices, faces = sphere()
    assert (mesh.vertex_normals(vertices, faces) * unit).sum(1).min() > 0.99
    frame = mesh.rasterise(vertices, faces, CAMERA)
    silhouette = 100 * np.tan(np.arcsin(0.3 / 2.0))
    assert frame.covered.sum() == pytest.approx(np.pi * silhouette**2, rel=0.03)
    normals = mesh.normals(frame, vertices, faces)
    assert np.allclose(np.linalg.norm(normals[frame.covered], axis=1), 1, atol=1e-5)
    assert normals[32, 32] @ [0, 0, 1] > 0.99
    assert frame.depth[32, 32] == pytest.approx(1.7, abs=0.005)


def test_shading_of_a_face_towards_the_light_is_its_colour():
    corners = np.array([on_screen(0, 0, 1), on_screen(0, 64, 1), on_screen(64, 0, 1)])
    faces = np.array([[0, 1, 2]])
    frame = mesh.rasterise(corners, faces, CAMERA)
    colour = np.array([[0.2, 0.4, 0.6]])
    for colours in (colour, colour.repeat(3, 0), np.broadcast_to(colour[0], (64, 64, 3))):
        picture = mesh.shade(frame, corners, faces, colours, light=(0, 0, 1), background=(0, 0, 1))
        assert np.allclose(picture[5, 5], colour[0], atol=1e-5) and np.allclose(picture[60, 60], [0, 0, 1])
    dark = mesh.shade(frame, corners, faces, colour, light=(0, 0, -1), ambient=0.45)
    assert np.allclose(dark[5, 5], 0.45 * colour[0], atol=1e-5)


def test_supersampled_coverage_is_the_area():
    corners = np.array([on_screen(10, 10, 2), on_screen(50, 10, 2), on_screen(10, 50, 2)])
    picture, coverage = mesh.draw(corners, np.array([[0, 1, 2]]), CAMERA, np.ones((1, 3)), supersampling=4)
    assert picture.shape == (64, 64, 3) and coverage.sum() == pytest.approx(800, rel=0.01)
    assert ((coverage > 0) & (coverage < 1)).any()
