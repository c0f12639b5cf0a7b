"""Light from all round: planes get all of it, wells the less the narrower they are; a mouth's by how far it is open."""

import numpy as np
import pytest
import torch

from emotag.geometry.camera import Camera
from emotag.render.mesh import rasterise, vertex_normals
from emotag.synthetic.occlusion import REACH_M, Cavity, openness
from emotag.synthetic.surface import subdivide

CAMERA = Camera(400, 400, 64, 64, 128, 128)
DISTANCE = 0.5


def seen(vertices, faces, normals=None):
    frame = rasterise(vertices, faces, CAMERA)
    normals = vertex_normals(vertices, faces) if normals is None else normals
    return openness(frame, faces, vertices, normals, CAMERA, 2)


def sheet(left, right, low, high, depth):
    points = np.array([[left, low, 0], [right, low, 0], [right, high, 0], [left, high, 0]], float)
    return points - [0, 0, depth]


def test_a_plane_gets_all_of_the_light():
    share = seen(sheet(-1, 1, -1, 1, DISTANCE), np.array([[0, 1, 2], [0, 2, 3]]))
    assert share.shape == (64, 64) and share.dtype == np.float32
    np.testing.assert_array_equal(share, 1)


def test_nothing_is_drawn_and_nothing_is_dark():
    far = sheet(5, 6, 5, 6, DISTANCE)
    np.testing.assert_array_equal(seen(far, np.array([[0, 1, 2], [0, 2, 3]])), 1)


def middle_of_slit(gap):
    """The share at the bottom of a slit of width `gap` m, 10 mm deep."""
    parts = [
        sheet(-1, 1, -1, 1, DISTANCE + 0.01),
        sheet(-1, 1, gap / 2, 1, DISTANCE),
        sheet(-1, 1, -1, -gap / 2, DISTANCE),
    ]
    faces = np.concatenate([np.array([[0, 1, 2], [0, 2, 3]]) + 4 * part for part in range(3)])
    share = seen(np.concatenate(parts), faces, np.tile([0, 0, 1.0], (12, 1)))
    return share[31:33, 31:33].mean(), share[4, 32]


def test_a_slit_is_the_darker_the_narrower():
    shares = [middle_of_slit(gap)[0] for gap in (0.004, 0.01, 0.02, 0.03)]
    assert np.all(np.diff(shares) > 0.02) and shares[0] < 0.6
    assert middle_of_slit(2.5 * REACH_M)[0] == 1
    # What lies in front of it is not darkened by the hole.
    assert middle_of_slit(0.01)[1] == 1


def test_light_in_a_mouth_grows_with_its_opening(head):
    division = subdivide(head.faces.numpy(), head.vertex_count, 0)
    cavity, zero = Cavity(head, division), torch.zeros
    jaw = zero(4, 3)
    jaw[:, 0] = torch.linspace(0, 0.35, 4)
    rest = [zero(4, len(head.expression_names)), jaw, zero(4, 3), zero(4, 6), zero(4, 3), zero(4, 3)]
    factors = np.stack([cavity(v) for v in head.vertices(zero(1, head.shape_size), *rest).double().numpy()])
    teeth = head.vertex_regions["teeth"].numpy()
    assert np.all(np.diff(factors[:, teeth], axis=0) > 0) and factors[0, teeth].max() < 0.2 < factors[3, teeth].max()
    np.testing.assert_array_equal(factors[:, head.vertex_regions["lips"].numpy()], 1)
    inside = np.flatnonzero(cavity.inside)
    assert np.corrcoef(cavity.depth, factors[3, inside])[0, 1] < -0.6
    assert factors.max() == pytest.approx(factors[3, inside].max())
