import numpy as np

from emotag.head.landmark_sets import INNER_LIP_PAIRS, LEFT_LID_PAIRS, RIGHT_LID_PAIRS
from emotag.tracking.contacts import SPAN_PAIRS, close_lids, eye_gaps, span_weights

USUAL = np.array([10.0, 12.0])


def face(right_px, left_px):
    """One frame of points whose lids are that far apart."""
    points = np.random.default_rng(0).uniform(0, 100, (1, 478, 2))
    for pairs, gap in ((RIGHT_LID_PAIRS, right_px), (LEFT_LID_PAIRS, left_px)):
        for upper, lower in pairs:
            points[0, lower] = points[0, upper] + [0, gap]
    return points


def test_gaps_are_those_of_each_eye():
    np.testing.assert_allclose(eye_gaps(face(3, 5)), [[3, 5]])


def test_open_eyes_stay_as_detected():
    points = face(8, 11)
    moved, closedness = close_lids(points, USUAL)
    np.testing.assert_array_equal(moved, points)
    assert np.all(closedness == 0)


def test_nearly_closed_eyes_are_closed():
    moved, closedness = close_lids(face(2, 2.5), USUAL)
    np.testing.assert_allclose(closedness, 1)
    upper, lower = np.array(RIGHT_LID_PAIRS).T
    assert np.all(moved[0, lower, 1] <= moved[0, upper, 1])


def test_gap_falls_without_jumps_and_keeps_the_middle():
    gaps = np.linspace(1, 12, 200)
    frames = np.concatenate([face(gap, gap) for gap in gaps])
    moved, _ = close_lids(frames, np.array([10.0, 10.0]))
    upper, lower = np.array(RIGHT_LID_PAIRS).T
    signed = (moved[:, lower, 1] - moved[:, upper, 1]).mean(1)
    assert np.all(np.diff(signed) > -1e-9) and np.diff(signed).max() < 4 * np.diff(gaps).max()
    np.testing.assert_allclose(moved[:, upper] + moved[:, lower], frames[:, upper] + frames[:, lower])


def test_a_blink_is_of_both_eyes_and_a_wink_of_one():
    blink = close_lids(face(2, 0.6 * USUAL[1]), USUAL)[1]
    np.testing.assert_allclose(blink, 1)
    wink = close_lids(face(2, USUAL[1]), USUAL)[1]
    np.testing.assert_allclose(wink, [[1, 0]])


def test_closed_eyes_weigh_more():
    weights = span_weights(np.array([[1.0, 0.0]]))[0]
    assert len(weights) == len(SPAN_PAIRS)
    right = weights[len(INNER_LIP_PAIRS) : len(INNER_LIP_PAIRS) + len(RIGHT_LID_PAIRS)]
    assert right.min() > weights[: len(INNER_LIP_PAIRS)].max()
    assert np.all(weights[len(INNER_LIP_PAIRS) + len(RIGHT_LID_PAIRS) :] == weights[0])


def test_other_evidence_shuts_lids_that_the_detector_leaves_open():
    points = np.zeros((2, 478, 3))
    for pairs in (RIGHT_LID_PAIRS, LEFT_LID_PAIRS):
        points[:, [lower for _, lower in pairs], 1] = 8.0
    usual = np.array([10.0, 10.0])
    closed, closedness = close_lids(points, usual, np.array([1.0, 0.0]))
    np.testing.assert_array_equal(closedness, [[1, 1], [0, 0]])
    upper, lower = np.array(LEFT_LID_PAIRS).T
    assert np.all(closed[0, lower, 1] <= closed[0, upper, 1])
    np.testing.assert_array_equal(closed[1], points[1])
