import numpy as np
import pytest
import torch

from emotag.errors import FootageError
from emotag.gaussians import beyond
from emotag.gaussians.binding import Binding
from emotag.gaussians.cloud import HAIR
from emotag.gaussians.deformer import rest_vertices
from emotag.gaussians.trunk import Trunk
from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix

CAMERA = Camera(200.0, 200.0, 48.0, 48.0, 96, 96)
FACES = np.array([[0, 1, 2]])
FAR_OFF = np.array([[5.0, 5.0, -1.0], [5.1, 5.0, -1.0], [5.0, 5.1, -1.0]])


def texture(x, y):
    """Smooth colours that do not repeat within the card."""
    waves = [np.sin(90 * x + 40 * y), np.sin(130 * y - 50 * x + 1), np.sin(70 * x * 1.3 + 110 * y + 2)]
    return 0.5 + 0.45 * np.stack(waves, -1)


def views_of_a_card(depth_m, share, trunk, count=20):
    """A card at z = `depth_m` in the head's frame that follows the trunk by `share`, seen by a nodding head's camera."""
    random = np.random.default_rng(0)
    rotations = axis_angle_to_matrix(torch.from_numpy(random.normal(0, 0.15, (count, 3)))).numpy()
    translations = np.array([0, 0, -0.6]) + random.normal(0, 0.01, (count, 3))
    columns, rows = np.meshgrid(np.arange(96) + 0.5, np.arange(96) + 0.5)
    rays = np.stack([(columns - 48) / 200, (48 - rows) / 200, -np.ones_like(rows)], -1)
    views = []
    for rotation, translation in zip(rotations, translations, strict=True):
        turn = (1 - share) * rotation + share * trunk.rotation.numpy()
        move = (1 - share) * translation + share * trunk.translation.numpy()
        inverse = np.linalg.inv(turn)
        direction, start = rays @ inverse.T, inverse @ move
        place = ((depth_m + start[2]) / direction[..., 2])[..., None] * direction - start
        on_card = (np.abs(place[..., :2]) < 0.06).all(-1)
        image = np.where(on_card[..., None], texture(place[..., 0], place[..., 1]), 0.0)
        views.append(beyond.View(image, on_card, on_card, FAR_OFF, rotation, translation))
    return views


@pytest.mark.parametrize(("depth_m", "share"), [(-0.06, 0.0), (0.02, 0.0), (-0.04, 0.5), (0.0, 1.0)])
def test_sweep_finds_depth_and_share_of_a_card(depth_m, share):
    trunk = Trunk(torch.eye(3, dtype=torch.float64), torch.tensor([0.0, 0.0, -0.6], dtype=torch.float64))
    points = beyond.sweep(views_of_a_card(depth_m, share, trunk), FACES, 0.0, trunk, CAMERA, 0.3, 0)
    assert len(points.share) > 200
    assert np.median(np.abs(points.share - share)) == pytest.approx(0, abs=1e-9)
    if share < 1:  # what rests shows no parallax
        assert np.mean(np.abs(points.positions[:, 2] - depth_m) < 0.021) > 0.8
    np.testing.assert_allclose(
        points.colours, np.clip(points.colours, 0.04, 0.96), err_msg="colours are those of the card, not of the black"
    )


def test_head_on_the_mesh_gives_no_points():
    trunk = Trunk(torch.eye(3), torch.tensor([0.0, 0.0, -0.6]))
    views = views_of_a_card(0.0, 0.0, trunk)
    wall = np.array([[-9.0, -9.0, -0.3], [9.0, -9.0, -0.3], [0.0, 9.0, -0.3]])
    hidden = [beyond.View(v.image, v.head, v.person, wall, v.rotation, v.translation) for v in views]
    assert len(beyond.sweep(hidden, FACES, 0.0, trunk, CAMERA, 0.3, 0).share) == 0


def test_no_frame_is_refused():
    with pytest.raises(FootageError, match="expected at least one"):
        beyond.sweep([], FACES, 0.0, Trunk(torch.eye(3), torch.zeros(3)), CAMERA, 0.3, 0)


def test_cloud_stands_where_the_points_are(head):
    vertices = rest_vertices(head, torch.zeros(head.shape_size))
    random = np.random.default_rng(1)
    points = beyond.Points(random.normal(0, 0.1, (50, 3)), random.random((50, 3)), random.random(50), np.full(50, 2e-3))
    carriers = head.face_regions["scalp"]
    cloud = beyond.cloud_of(points, vertices, head.faces, carriers, 1)
    splats = Binding(cloud.triangle, head.faces)(cloud, vertices[None])
    np.testing.assert_allclose(splats.means[0].detach(), points.positions, atol=1e-6)
    np.testing.assert_allclose(splats.scales.detach(), 2e-3 * 0.7, rtol=1e-4)
    assert (cloud.region == HAIR).all() and carriers[cloud.triangle].all()
    np.testing.assert_allclose(cloud.trunk_share, points.share, rtol=1e-6)
