import numpy as np

from emotag.tracking.eye_patterns import eye_patches, openness, shut_share


def eyes(open_share, turn=0.0, light=1.0):
    """A picture with two dark irises on white, covered from above by lids, and its landmarks."""
    rows, columns = np.mgrid[:200, :300] + 0.5
    picture, points = np.full((200, 300), 150.0), np.zeros((478, 2))
    for (first, second), middle in (((33, 133), (90, 100)), ((362, 263), (210, 100))):
        along = np.array([np.cos(turn), np.sin(turn)])
        points[first], points[second] = middle - 30 * along, middle + 30 * along
        x = (columns - middle[0]) * along[0] + (rows - middle[1]) * along[1]
        y = (rows - middle[1]) * along[0] - (columns - middle[0]) * along[1]
        white = (np.abs(y) < 12 * (1 - (x / 30) ** 2)) & (y > 12 - 24 * open_share)
        picture[white] = 220
        picture[white & (np.hypot(x, y) < 11)] = 40
    return (light * picture[..., None].repeat(3, 2)).clip(0, 255).astype(np.uint8), points


def found(settings):
    patches = np.stack([eye_patches(*eyes(**setting)) for setting in settings])
    return openness(patches, np.arange(3))


def test_open_is_one_and_shut_is_nothing():
    usual = [{"open_share": 1.0}] * 3
    shares = found([*usual, {"open_share": 0.5}, {"open_share": 0.0}])
    np.testing.assert_allclose(shares[:3], 1, atol=0.02)
    assert np.all(np.abs(shares[4]) < 0.1)
    assert np.all((shares[3] > 0.15) & (shares[3] < 0.85))


def test_a_turned_head_and_weaker_light_change_little():
    shares = found([{"open_share": 1.0}] * 3 + [{"open_share": 1.0, "turn": 0.3}, {"open_share": 1.0, "light": 0.8}])
    np.testing.assert_allclose(shares[3], 1, atol=0.1)
    np.testing.assert_allclose(shares[4], 0.8, atol=0.05)


def test_an_eye_without_a_pattern_counts_as_open():
    assert np.all(openness(np.full((4, 2, 221), 0.5), np.arange(4)) == 1)


def test_pictures_are_asked_only_where_lids_move():
    share = np.array([[1.0, 1.0], [0.2, 0.3], [0.2, 0.3], [0.0, 1.0], [0.2, 0.2], [0.6, 0.5]])
    gaps = np.array([[1.0, 1.0], [0.8, 0.7], [1.0, 1.0], [0.3, 0.8], [0.2, 0.1], [0.7, 0.7]])
    np.testing.assert_allclose(shut_share(share, gaps), [0, 1, 0, 0, 1, 0])


def test_shut_eyes_are_judged_by_this_clips_shut_eyes():
    gaps = np.array([[0.2, 0.2], [0.7, 0.7], [1.0, 1.0]])
    dark, light = np.array([-0.2, 0.25, 1.0]), np.array([0.2, 0.25, 1.0])
    assert shut_share(np.stack([dark, dark], 1), gaps)[1] == 0
    assert shut_share(np.stack([light, light], 1), gaps)[1] == 1


def test_without_a_clear_example_of_shut_eyes_the_detector_decides():
    share = np.array([[0.5, 0.5], [0.4, 0.4]])
    assert not shut_share(share, np.array([[0.2, 0.2], [0.7, 0.7]])).any()
    assert not shut_share(share - 0.4, np.array([[0.7, 0.7], [0.7, 0.7]])).any()
