"""Detection, linking, and who is the main face."""

import numpy as np
import pytest
import skimage.data
import skimage.transform

from emotag.tracking import faces
from emotag.tracking.faces import Face


@pytest.fixture(scope="module")
def portrait():
    """A public-domain photograph of an astronaut, 512 px, face about 100 px high."""
    return skimage.data.astronaut()


def box(x, y, size=100.0):
    return Face(np.array([x, y, x + size, y + size], float), 0.9)


def test_overlap_of_boxes():
    a = np.array([0.0, 0, 2, 2])
    assert faces.overlap(a, a) == 1
    assert faces.overlap(a, np.array([1.0, 0, 3, 2])) == pytest.approx(1 / 3)
    assert faces.overlap(a, np.array([5.0, 5, 6, 6])) == 0


def test_tracks_follow_faces_whatever_their_order():
    frames = list(range(0, 50, 5))
    detections = [[box(10 + 2 * k, 10), box(400 - 2 * k, 30, 80)][:: 1 if k % 2 else -1] for k in range(10)]
    first, second = faces.link(frames, detections)
    assert first.height == 100 and second.height == 80 and len(first.faces) == len(second.faces) == 10
    np.testing.assert_allclose(first.boxes[:, 0], 10 + 2 * np.arange(10))


def test_rivals_are_large_and_present():
    tracks = faces.link(list(range(10)), [[box(0, 0), box(300, 0, 70), box(600, 0, 40)] for _ in range(10)])
    assert [track.height for track in faces.rivals(tracks, 10, 0.6)] == [70]
    assert faces.rivals(tracks, 10, 0.8) == []
    brief = faces.link(list(range(20)), [[box(0, 0)] + [box(300, 0)] * (k == 3) for k in range(20)])
    assert faces.rivals(brief, 20, 0.6) == []


def test_detection_moves_with_the_picture(portrait):
    with faces.face_detector() as detector:
        (found,) = detector.detect(portrait)
        canvas = np.full((700, 1000, 3), 90, np.uint8)
        canvas[100:612, 400:912] = portrait
        (moved,) = detector.detect(canvas)
        assert detector.detect(np.full((300, 400, 3), 128, np.uint8)) == []
    assert 0.75 < found.height / 100 < 1.35
    assert np.abs(moved.box - found.box - [400, 100, 400, 100]).max() < 0.1 * found.height


def test_small_faces_have_true_boxes(portrait):
    """The box of a face that is small in a tall frame is that of the same face seen large."""
    with faces.face_detector() as detector:
        (large,) = detector.detect(portrait)
        small = (skimage.transform.resize(portrait, (256, 256), anti_aliasing=True) * 255).astype(np.uint8)
        canvas = np.full((900, 500, 3), 60, np.uint8)
        canvas[300:556, 120:376] = small
        found = detector.detect(canvas)[0]
    assert found.height == pytest.approx(large.height / 2, rel=0.12)
    assert np.abs(found.centre - large.centre / 2 - [120, 300]).max() < 0.08 * large.height
