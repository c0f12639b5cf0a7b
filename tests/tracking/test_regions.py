"""Region labels of a photograph and of painted figures."""

import numpy as np
import pytest
import skimage.data

from emotag.tracking import regions
from emotag.tracking.face_mesh import follow
from emotag.tracking.matte import guided, person_alpha

NAMES = regions.INDEX


@pytest.fixture(scope="module")
def portrait():
    """A photograph, its mesh and its matte."""
    frame = np.ascontiguousarray(skimage.data.astronaut()[:400, 20:420])
    points, found = follow([frame], 0.5)
    assert found.all()
    return frame, points[0], next(person_alpha([frame]))


@pytest.fixture(scope="module")
def labels(portrait):
    frame, points, alpha = portrait
    person = alpha > 127
    return regions.label_frame(frame, points, person, regions.learn_colours([frame], [points], [person]))


def test_labels_lie_on_the_person(portrait, labels):
    outside = portrait[2] <= 127
    faceless = np.isin(labels, [NAMES["torso"], NAMES["neck"], NAMES["hair"], NAMES["skin"]])
    assert not (faceless & outside).any()
    assert labels.dtype == np.uint8 and labels.max() < len(regions.LABELS)


def test_face_parts_are_at_their_points(portrait, labels):
    _, points, _ = portrait
    at = lambda index: labels[tuple(np.floor(points[index, 1::-1]).astype(int))]  # noqa: E731
    assert at(4) == at(50) == at(280) == NAMES["skin"]
    assert at(468) == at(473) == NAMES["eyes"]
    for outline in (regions.RIGHT_BROW, regions.LEFT_BROW):
        x, y = points[list(outline), :2].mean(0)
        assert labels[int(y), int(x)] == NAMES["brows"]
    assert at(17) in (NAMES["lips"], NAMES["mouth_interior"])


def test_hair_above_suit_below(portrait, labels):
    """The astronaut's dark hair stands above the brow and the orange suit fills the lower edge."""
    frame, points, _ = portrait
    top, chin = points[10], points[152]
    height = chin[1] - top[1]
    above = labels[int(top[1] - 0.15 * height), int(top[0])]
    assert above == NAMES["hair"]
    assert (labels[-20:] == NAMES["torso"]).mean() > 0.4
    assert not regions.head_mask(labels)[-20:].any()


def test_head_is_one_piece(labels):
    import cv2

    count, _, stats, _ = cv2.connectedComponentsWithStats(regions.head_mask(labels).astype(np.uint8), connectivity=8)
    assert np.sort(stats[1:, cv2.CC_STAT_AREA])[-1] > 0.98 * regions.head_mask(labels).sum() and count >= 2


def test_closed_mouth_has_no_interior(portrait):
    frame, points, alpha = portrait
    person = alpha > 127
    colours = regions.learn_colours([frame], [points], [person])
    closed = points.copy()
    closed[[13, 14], 1] = closed[[13, 14], 1].mean()
    assert not (regions.label_frame(frame, closed, person, colours) == NAMES["mouth_interior"]).any()


def test_tint_ignores_light_but_not_grey():
    import cv2

    skin = np.array([200, 150, 120])
    colours = regions.learn_colours(
        [np.full((400, 400, 3), skin, np.uint8)],
        [_oval()],
        [np.ones((400, 400), bool)],
    )
    patches = np.array([skin, skin * 0.6, [200, 200, 200], [60, 60, 70], [180, 130, 190]]).astype(np.uint8)
    lab = cv2.cvtColor(patches[None], cv2.COLOR_RGB2LAB).astype(np.float32) * [0.5, 1, 1]
    np.testing.assert_array_equal(colours.tinted(lab.astype(np.float32))[0], [True, True, False, False, False])


def test_guided_filter_keeps_edges_of_the_guide():
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:, 32:] = 200
    mask = np.clip((np.arange(64) - 26) / 12, 0, 1)[None].repeat(64, 0).astype(np.float32)
    found = guided(mask, frame)[32]
    assert abs(found[33] - found[30]) > 3 * abs(mask[32, 33] - mask[32, 30]) * 0.6
    np.testing.assert_allclose(guided(np.ones((64, 64), np.float32), frame), 1, atol=1e-4)


def _oval():
    from emotag.head import landmark_sets as sets

    points = np.full((478, 3), 200.0, np.float32)
    angle = np.linspace(0, 2 * np.pi, 37)[:-1]
    points[list(sets.FACE_OVAL), 0] = 200 + 80 * np.sin(angle)
    points[list(sets.FACE_OVAL), 1] = 180 - 110 * np.cos(angle)
    return points
