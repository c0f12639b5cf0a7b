"""The face mesh over time: gaps are found and filled."""

import numpy as np
import pytest
import skimage.data

from emotag.tracking.face_mesh import fill_gaps, follow


def test_gaps_are_filled_linearly_and_ends_held():
    points = np.arange(8, dtype=np.float32)[:, None, None] * np.ones((1, 3, 3), np.float32)
    found = np.array([0, 1, 0, 0, 1, 1, 0, 0], bool)
    damaged = np.where(found[:, None, None], points, np.nan)
    np.testing.assert_allclose(fill_gaps(damaged, found)[:, 0, 0], [1, 1, 2, 3, 4, 5, 5, 5], rtol=1e-6)
    np.testing.assert_array_equal(fill_gaps(points, np.ones(8, bool)), points)
    with pytest.raises(ValueError):
        fill_gaps(points, np.zeros(8, bool))


def test_the_face_is_followed_and_found_again():
    portrait = skimage.data.astronaut()[:320, 60:380]
    black = np.zeros_like(portrait)
    points, found = follow([black, portrait, portrait, black, portrait], 0.5)
    np.testing.assert_array_equal(found, [0, 1, 1, 0, 1])
    assert np.isnan(points[0]).all() and points.shape == (5, 478, 3)
    eyes = points[1][[33, 263], :2]
    # The photograph's eyes, outer corners, read off by hand.
    assert np.abs(eyes - [[134, 100], [199, 103.5]]).max() < 5
    assert np.abs(points[4] - points[1])[:, :2].max() < 4


def test_points_shift_with_the_picture():
    portrait = skimage.data.astronaut()
    a, b = portrait[:320, 60:380], portrait[10:330, 50:370]
    (first, second), found = zip(*(follow([frame] * 2, 0.5) for frame in (a, b)), strict=True)
    assert np.all(found)
    assert np.abs(second[1, :, :2] - first[1, :, :2] - [10, -10]).mean() < 1
