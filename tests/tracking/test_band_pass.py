import numpy as np

from emotag.tracking.band_pass import LEVELS, band_pass, sample


def sampled(pictures, points):
    values, slopes = np.empty(points.shape[:2]), np.empty(points.shape)
    sample(pictures, points, values, slopes)
    return values, slopes


def test_even_light_leaves_nothing():
    assert np.abs(band_pass(np.full((64, 64, 3), 170, np.uint8), 64)).max() <= 1


def test_slowly_changing_light_is_mostly_gone_and_edges_stay():
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[:] = np.linspace(60, 180, 128).astype(np.uint8)[None, :, None]
    light = np.abs(band_pass(picture, 128)[:, 30:98] / LEVELS).max()
    picture[60:68] = 255
    assert light < 0.01 and np.abs(band_pass(picture, 128) / LEVELS).max() > 0.15


def test_a_smaller_size_shows_the_same_band():
    noise = np.random.default_rng(0).normal(size=(16, 16, 3)).repeat(16, 0).repeat(16, 1)
    picture = (128 + 40 * noise).clip(0, 255).astype(np.uint8)
    large, small = band_pass(picture, 256), band_pass(picture, 128)
    shrunk = large.reshape(128, 2, 128, 2).mean((1, 3))
    assert np.corrcoef(shrunk.ravel(), small.ravel())[0, 1] > 0.98


def test_samples_of_a_linear_picture_are_exact():
    rows, columns = np.mgrid[:8, :9] + 0.5
    pictures = (100 * np.stack([2 * columns + 3 * rows, columns])).astype(np.int16)
    points = np.array([[[1.2, 3.4], [5.5, 2.5]], [[7.1, 6.9], [3.0, 3.0]]])
    values, slopes = sampled(pictures, points)
    expected = np.stack([2 * points[0, :, 0] + 3 * points[0, :, 1], points[1, :, 0]])
    np.testing.assert_allclose(values * LEVELS / 100, expected, rtol=1e-9)
    np.testing.assert_allclose(slopes[0] * LEVELS / 100, [[2, 3]] * 2)
    np.testing.assert_allclose(slopes[1] * LEVELS / 100, [[1, 0]] * 2, atol=1e-12)


def test_outside_there_is_no_slope():
    pictures = np.random.default_rng(0).integers(-999, 999, (1, 8, 8)).astype(np.int16)
    values, slopes = sampled(pictures, np.array([[[-5.0, 4.0], [4.0, 30.0]]]))
    assert np.all(slopes == 0) and np.all(np.isfinite(values))
