import dataclasses

import numpy as np
import pytest
import torch
from scipy.spatial import Delaunay

from emotag.artifacts import Subject
from emotag.config import TrackConfig
from emotag.geometry.camera import Camera
from emotag.render.mesh import draw
from emotag.tracking.fit import camera_of, fit_tracks
from emotag.tracking.posing import posed_vertices
from emotag.tracking.refinement import appearance, refine, watched
from emotag.tracking.regions import INDEX

SIZE, FRAMES, SKIN = 256, 10, 468


@pytest.fixture(scope="module")
def head(toy_head):
    """The toy head with a closed surface in front."""
    surface = type(toy_head)()
    place = surface.neutral[:SKIN].numpy()
    faces = Delaunay(place[:, :2]).simplices
    a, b, c = (place[faces[:, i], :2] for i in range(3))
    turn = (b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]
    surface.faces = torch.from_numpy(np.where(turn[:, None] > 0, faces, faces[:, ::-1]).copy()).long()
    skin = torch.arange(len(surface.neutral)) < SKIN
    surface.vertex_regions = {"face": skin, "skin": skin, "brows": skin & ~skin}
    return surface


@pytest.fixture(scope="module")
def scene(head):
    """True tracks, drawn footage, and the tracks that trembling landmarks give."""
    random = np.random.default_rng(0)
    subject = Subject(
        head_model=head.name,
        expression_names=list(head.expression_names),
        shape=np.zeros(5, np.float32),
        camera=camera_of((SIZE, SIZE), 2.0).as_dict(),
        landmark_offsets=np.zeros((478, 3), np.float32),
        neutral_expression=np.zeros(8, np.float32),
        neutral_jaw=np.zeros(3, np.float32),
        vertex_colours=np.full((len(head.neutral), 3), 0.5, np.float32),
        clip="clip",
        part=[0, FRAMES],
    )
    time = np.linspace(0, 2 * np.pi, FRAMES)
    zero = np.zeros((FRAMES, 3))
    expression = np.zeros((FRAMES, 8))
    expression[:, 2] = 0.4 + 0.3 * np.sin(time)
    rotation = 0.1 * np.stack([np.sin(time), np.cos(time), zero[:, 0]], 1)
    translation = np.array([0.0, 0.0, -0.7]) + 2e-3 * np.stack([np.cos(time), np.sin(time), zero[:, 0]], 1)
    values = [
        torch.from_numpy(v).float() for v in (expression, zero, zero, np.zeros((FRAMES, 6)), rotation, translation)
    ]
    vertices = head.vertices(torch.zeros(FRAMES, 5), *values)
    camera = Camera.from_dict(subject.camera)
    colours = random.uniform(0.1, 0.9, (len(head.neutral), 1)).repeat(3, 1)
    labels, footage = np.full((SIZE, SIZE), INDEX["skin"], np.uint8), []
    for posed in vertices.double().numpy():
        picture, _ = draw(posed, head.faces.numpy(), camera, colours, supersampling=2, ambient=1.0)
        footage.append(((255 * picture).astype(np.uint8), labels))
    points = torch.cat([camera.project(head.landmarks(vertices)), -vertices[:, :478, 2:] * 700], -1).double().numpy()
    points[..., :2] += random.normal(0, 0.5, (FRAMES, 1, 2)) + random.normal(0, 0.8, (FRAMES, 478, 2))
    return subject, vertices[:, :SKIN], footage, points


def misplaced(head, tracks, truth):
    camera = Camera.from_dict(tracks.camera)
    found = posed_vertices(head, tracks, slice(None))[:, :SKIN]
    return float((camera.project(found) - camera.project(truth)).norm(dim=-1).mean())


def refined(head, scene, config, interpolated=None):
    subject, _, footage, points = scene
    tracks = fit_tracks(head, subject, points, config, interpolated)
    return tracks, refine(head, subject, tracks, points, iter(footage), slice(0, FRAMES), config)


def test_pictures_place_the_face_below_a_pixel_where_landmarks_tremble(head, scene):
    before, after = refined(head, scene, TrackConfig(photometric=30.0))
    # The usual look is learnt from the trembling tracks, so a little of their common error stays.
    assert misplaced(head, before, scene[1]) > 0.4
    assert misplaced(head, after, scene[1]) < 0.5 * misplaced(head, before, scene[1])


def test_limits_and_what_is_frozen_stay(head, scene):
    before, after = refined(head, scene, TrackConfig())
    assert after.expression.min() >= 0 and after.expression.max() <= 1
    np.testing.assert_array_equal(after.shape, before.shape)
    assert after.camera == before.camera


def test_brighter_frames_are_no_motion(head, scene):
    subject, truth, footage, points = scene
    lit = [
        ((picture * (0.7 if i % 2 else 1.0)).astype(np.uint8), labels) for i, (picture, labels) in enumerate(footage)
    ]
    config = TrackConfig(photometric=30.0)
    before, after = refined(head, (subject, truth, lit, points), config)
    assert misplaced(head, after, truth) < 0.6 * misplaced(head, before, truth)


def test_frames_without_a_face_are_still_bridged(head, scene):
    gaps = np.zeros(FRAMES, bool)
    gaps[4] = True
    _, after = refined(head, scene, TrackConfig(), gaps)
    np.testing.assert_array_equal(after.interpolated, gaps)
    middle = (after.translation[3] + after.translation[5]) / 2
    np.testing.assert_allclose(after.translation[4], middle, atol=3e-3)


def test_outside_the_faces_labels_nothing_is_compared(head, scene):
    subject, _, footage, points = scene
    hidden = [(picture, np.full_like(labels, INDEX["hair"])) for picture, labels in footage]
    config = TrackConfig()
    tracks = fit_tracks(head, subject, points, config)
    after = refine(head, subject, tracks, points, iter(hidden), slice(0, FRAMES), config)
    moved = np.linalg.norm(after.translation - tracks.translation, axis=1).mean()
    assert moved < 2e-3


def test_watched_vertices_lie_on_the_face(head):
    assert watched(head).tolist() == list(range(SKIN))


def test_appearance_is_the_usual_value_times_the_frames_gain():
    random = np.random.default_rng(0)
    usual, gain = random.normal(size=40), np.array([1.0, 0.8, 1.0, 1.25, 1.0])
    values, weights = gain[:, None] * usual, np.ones((5, 40))
    values[2, :5] += 9
    weights[:, 39] = 0
    found = appearance(values, weights, slice(0, 5))
    np.testing.assert_allclose(found.values[:39], usual[:39], atol=1e-9)
    np.testing.assert_allclose(found.gain[[0, 1, 3]], gain[[0, 1, 3]], rtol=1e-6)
    assert not found.known[39] and found.known[:39].all()
    np.testing.assert_allclose(found.deviation[5:39], 0.01, rtol=1e-6)
    later = dataclasses.asdict(appearance(np.concatenate([values, 0 * values]), np.ones((10, 40)), slice(0, 5)))
    np.testing.assert_allclose(later["values"], usual, atol=1e-9)
