"""Closest points against a dense sampling of each triangle, and where normals must agree."""

import numpy as np

from emotag.geometry.closest import barycentric_of, closest_on_mesh, face_normals
from emotag.head.icosphere import icosphere


def test_barycentric_is_the_best_of_a_dense_sampling():
    rng = np.random.default_rng(0)
    corners, points = rng.normal(size=(3, 200, 3)), 2 * rng.normal(size=(200, 3))
    weights = barycentric_of(points, *corners)
    assert (weights >= -1e-12).all() and np.allclose(weights.sum(1), 1)
    found = np.linalg.norm(np.einsum("nc,cnd->nd", weights, corners) - points, axis=1)
    grid = np.array([(i, j, 60 - i - j) for i in range(61) for j in range(61 - i)]) / 60
    sampled = np.linalg.norm(np.einsum("gc,cnd->gnd", grid, corners) - points, axis=-1).min(0)
    assert (found <= sampled + 1e-9).all() and (sampled - found).max() < 0.1


def test_a_triangle_without_area_is_its_longest_edge():
    a, b, c = np.array([[0.0, 0, 0]]), np.array([[1.0, 0, 0]]), np.array([[0.5, 0, 0]])
    weights = barycentric_of(np.array([[0.3, 1.0, 0]]), a, b, c)
    assert np.allclose(weights[0] @ [0, 1, 0.5], 0.3)


def test_points_around_a_sphere_come_back_to_it():
    ball = icosphere(3)
    directions = np.random.default_rng(1).normal(size=(300, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    found = closest_on_mesh(1.5 * directions, ball.vertices, ball.faces, directions)
    assert np.abs(found.distance - 0.5).max() < 0.02
    assert np.allclose(
        np.einsum("nc,ncd->nd", found.barycentric, ball.vertices[ball.faces[found.face]]), found.position
    )
    assert np.isinf(closest_on_mesh(1.5 * directions, ball.vertices, ball.faces, -directions).distance).all()


def test_icosphere_is_even_and_closed():
    ball = icosphere()
    assert (len(ball.vertices), len(ball.faces)) == (162, 320) and np.allclose(ball.vertices.mean(0), 0)
    normals = face_normals(ball.vertices, ball.faces)
    assert (np.einsum("fd,fd->f", normals, ball.vertices[ball.faces].mean(1)) > 0.9).all()
    edges = np.sort(np.concatenate([ball.faces[:, [0, 1]], ball.faces[:, [1, 2]], ball.faces[:, [2, 0]]]), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
