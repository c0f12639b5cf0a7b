"""The crop box: centred, inside, large enough, never beyond need."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emotag.tracking.framing import CropBox, crop_box, cut, outside


def boxes(x, y, height, shifts=(0,)):
    return np.array([[x + d, y, x + d + height, y + height] for d in shifts], float)


def test_still_face_in_a_wide_frame():
    box = crop_box(boxes(900, 400, 200), 1920, 1080, 0.4)
    assert box.edge == 500 and box.left == 750 and abs(box.top - 240) <= 10


def test_a_tight_frame_is_taken_whole():
    assert crop_box(boxes(128, 120, 256), 512, 512, 0.42) == CropBox(0, 0, 512)


def test_too_tight_a_frame_is_padded():
    box = crop_box(boxes(20, 20, 400), 440, 440, 0.42)
    assert box.edge == 640 and box.left < 0 and box.left + box.edge > 440


def test_a_moving_face_widens_the_box():
    still, moving = boxes(500, 400, 200), boxes(500, 400, 200, range(0, 500, 10))
    assert crop_box(moving, 1920, 1080, 0.42).edge > 1.3 * crop_box(still, 1920, 1080, 0.42).edge
    assert not outside(moving, crop_box(moving, 1920, 1080, 0.42)).any()
    assert outside(moving, crop_box(still, 1920, 1080, 0.42)).any()


@settings(max_examples=60, deadline=None)
@given(st.integers(200, 2000), st.integers(200, 2000), st.floats(0.05, 0.5), st.floats(0, 1), st.floats(0, 1))
def test_box_holds_the_face_and_stays_inside_where_it_fits(width, height, share, u, v):
    face = max(32, share * min(width, height))
    box = crop_box(boxes(u * (width - face), v * (height - face), face), width, height, 0.42)
    assert not outside(boxes(u * (width - face), v * (height - face), face) + [[1, 1, -1, -1]], box).any()
    if box.edge <= min(width, height):
        assert box.left >= 0 and box.top >= 0 and box.left + box.edge <= width and box.top + box.edge <= height


def test_cut_is_the_region_itself_and_repeats_the_border():
    picture = np.arange(40 * 60 * 3, dtype=np.uint8).reshape(40, 60, 3)
    np.testing.assert_array_equal(cut(picture, CropBox(10, 5, 32), 32), picture[5:37, 10:42])
    padded = cut(picture, CropBox(-4, -2, 44), 44)
    np.testing.assert_array_equal(padded[2:42, 4:44], picture[:40, :40])
    np.testing.assert_array_equal(padded[0, 4:44], picture[0, :40])
    assert cut(picture, CropBox(0, 0, 40), 20) == pytest.approx(
        picture[:, :40].reshape(20, 2, 20, 2, 3).astype(float).mean((1, 3)), abs=0.51
    )
