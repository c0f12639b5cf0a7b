from types import SimpleNamespace

import numpy as np
import torch

from emotag.geometry.camera import Camera
from emotag.tracking.mesh_geometry import surface
from emotag.tracking.overlay import draw

CAMERA = Camera(100, 100, 50, 50, 100, 100)
SQUARE = torch.tensor([[-0.2, -0.2, -1], [0.2, -0.2, -1], [0.2, 0.2, -1], [-0.2, 0.2, -1.0]])
TRACKS = SimpleNamespace(camera=CAMERA.as_dict())


class Square:
    """A square head: its first triangle is lips, its second skin."""

    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])

    def __init__(self):
        none = torch.zeros(2, dtype=torch.bool)
        names = ("skin", "lips", "eyelids", "eyeballs", "neck", "ears", "brows", "scalp")
        self.face_regions = {name: none.clone() for name in names}
        self.face_regions["lips"][0] = self.face_regions["skin"][1] = True


def posed(monkeypatch, module, vertices=SQUARE):
    monkeypatch.setattr(f"emotag.tracking.{module}.posed_vertices", lambda *_: vertices[None])


def test_lines_lie_on_the_projected_edges(monkeypatch):
    posed(monkeypatch, "overlay")
    frame = np.full((100, 100, 3), 128, np.uint8)
    drawn = draw(frame, Square(), TRACKS, 0)
    changed = (drawn != frame).any(2)
    rows, columns = np.nonzero(changed)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (29, 70, 29, 70)
    assert changed[49, 50] or changed[50, 49]  # the diagonal between lips and skin
    assert not changed[40, 35] and not changed[60, 65]
    assert np.all(frame == 128)


def test_a_mesh_seen_from_behind_is_not_drawn(monkeypatch):
    posed(monkeypatch, "overlay", SQUARE[[1, 0, 3, 2]])
    frame = np.zeros((100, 100, 3), np.uint8)
    np.testing.assert_array_equal(draw(frame, Square(), TRACKS, 0), frame)


def test_surface_gives_depth_normal_and_mask_of_skin(monkeypatch):
    posed(monkeypatch, "mesh_geometry")
    head = Square()
    head.face_regions["lips"][0] = False
    depth, normal, mask = surface(head, TRACKS, 0, 50)
    assert mask.shape == (50, 50) and 0 < mask.sum() < 401
    np.testing.assert_allclose(depth[mask], 1, rtol=1e-6)
    np.testing.assert_allclose(normal[mask], np.tile([0, 0, 1], (mask.sum(), 1)), atol=1e-6)
    assert np.all((depth > 0)[15:35, 15:35])
