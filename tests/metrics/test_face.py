"""Face metrics do not depend on the size the video was rendered at."""

import numpy as np
import pytest

from emotag.head.landmark_sets import LEFT_EYE_CORNERS, LEFT_LID_PAIRS, RIGHT_EYE_CORNERS, RIGHT_LID_PAIRS
from emotag.metrics.detected import Detected, eye_opening
from emotag.metrics.face import face_scores
from emotag.metrics.lips import lip_distance

NAMES = ("AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26") + (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU45",
)  # fmt: skip


@pytest.fixture
def pair():
    rng = np.random.default_rng(4)
    face = rng.uniform(100, 400, (478, 3))
    moving = [face + rng.normal(0, 3, (40, 478, 3)) for _ in range(2)]
    units = [rng.uniform(0, 5, (40, len(NAMES))) for _ in range(2)]
    found = np.ones(40, bool)
    found[7] = False
    return [(Detected(points.astype(np.float32), found, 512), unit) for points, unit in zip(moving, units, strict=True)]


def at(size: int, side: tuple[Detected, np.ndarray]) -> tuple[Detected, np.ndarray]:
    return Detected(side[0].at_width(size), side[0].found, size), side[1]


@pytest.mark.parametrize("sizes", [(256, 256), (720, 720), (512, 384)])
def test_points_of_another_size_give_the_same_metrics(pair, sizes):
    expected = face_scores(NAMES, *pair)
    found = face_scores(NAMES, at(sizes[0], pair[0]), at(sizes[1], pair[1]))
    assert found == pytest.approx(expected, rel=1e-4, nan_ok=True)


def test_blinks_of_drawn_lids_are_found():
    """Eyes 40 px wide with lids 12 px apart, that close for three frames at given times; a face with one of two blinks, and
    two that nobody asked for, has an F1 of 0.4."""

    def face(times):
        points = np.tile(np.random.default_rng(4).uniform(100, 400, (478, 3)), (100, 1, 1)).astype(np.float32)
        for pairs, (left, right) in ((RIGHT_LID_PAIRS, RIGHT_EYE_CORNERS), (LEFT_LID_PAIRS, LEFT_EYE_CORNERS)):
            points[:, right] = points[:, left] + [40, 0, 0]
            for upper, lower in pairs:
                points[:, upper] = points[:, lower] + [0, 12, 0]
                for time in times:
                    points[time - 1 : time + 2, upper, 1] -= 10
        return Detected(points, np.ones(100, bool), 512)

    np.testing.assert_allclose(eye_opening(face([]).points), 0.3, rtol=1e-4)
    units = np.zeros((100, len(NAMES)))
    truth = (face([20, 60]), units)
    assert face_scores(NAMES, truth, truth)["blink_f1"] == 1
    assert face_scores(NAMES, truth, (face([22, 40, 80]), units))["blink_f1"] == pytest.approx(0.4)
    assert face_scores(NAMES, truth, (face([]), units))["blink_f1"] == 0


def test_pixels_are_those_of_512(pair):
    truth, face = pair
    lips = list(range(478))[:20]
    assert face_scores(NAMES, truth, truth)["lmd_px512"] == 0
    assert face_scores(NAMES, truth, face)["undetected"] == 1
    moved = Detected(face[0].points * 2, face[0].found, 1024)
    halves = [side.at_width(512)[:, lips, :2] for side in (truth[0], moved)]
    assert lip_distance(*halves) == pytest.approx(
        lip_distance(truth[0].points[:, lips, :2], face[0].points[:, lips, :2])
    )
