from types import SimpleNamespace

import numpy as np
import torch

from emotag.geometry.camera import Camera
from emotag.tracking.vertex_colours import bilinear, vertex_colours, visible

CAMERA = Camera(100, 100, 50, 50, 100, 100)
# Two squares facing the camera, the far one half behind the near one, and a square seen from behind.
CORNERS = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0.0]])
NEAR = CORNERS * 0.2 + [0, 0, -1]
FAR = CORNERS * 0.2 + [0.25, 0, -1.2]
BACK = (CORNERS * 0.1 + [-0.35, 0, -1])[[0, 3, 2, 1]]
VERTICES = np.concatenate([NEAR, FAR, BACK])
FACES = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * i for i in range(3)])


def test_bilinear_is_exact_on_a_linear_picture():
    rows, columns = np.mgrid[:8, :9] + 0.5
    picture = np.stack([2 * columns + 3 * rows, columns], 2)
    points = np.array([[1.2, 3.4], [5.5, 2.5], [7.1, 6.9]])
    expected = np.stack([2 * points[:, 0] + 3 * points[:, 1], points[:, 0]], 1)
    np.testing.assert_allclose(bilinear(picture, points), expected)


def test_hidden_and_turned_vertices_are_not_visible():
    seen = visible(VERTICES, FACES, CAMERA)
    np.testing.assert_allclose(seen[:4], 1, atol=0.1)
    np.testing.assert_array_equal(seen[4:8] > 0, [False, True, True, False])
    assert np.all(seen[8:] == 0)


def test_colours_come_from_where_the_vertices_are(monkeypatch):
    regions = {"front": torch.arange(12) < 8, "behind": torch.arange(12) >= 8}
    head = SimpleNamespace(faces=torch.from_numpy(FACES), vertex_regions=regions)
    tracks = SimpleNamespace(camera=CAMERA.as_dict())
    posed = torch.from_numpy(VERTICES).float()[None]
    monkeypatch.setattr("emotag.tracking.vertex_colours.posed_vertices", lambda *_: posed)
    picture = np.zeros((100, 100, 3), np.uint8)
    picture[:, :50], picture[:, 50:] = [255, 0, 0], [0, 0, 255]
    colours, count = vertex_colours(head, tracks, [(0, picture, np.ones((100, 100), bool))] * 3)
    np.testing.assert_array_equal(count > 0, [True] * 4 + [False, True, True, False] + [False] * 4)
    np.testing.assert_allclose(colours[[0, 1, 5]], [[1, 0, 0], [0, 0, 1], [0, 0, 1]], atol=1e-6)
    np.testing.assert_allclose(colours[8:], 0.5)
    masked, none = vertex_colours(head, tracks, [(0, picture, np.zeros((100, 100), bool))])
    assert none.sum() == 0 and np.all(masked == 0.5)
