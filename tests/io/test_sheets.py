"""Contact sheets: every frame in its place."""

import io

import numpy as np
import pytest
from PIL import Image

from emotag.io import sheets


def test_frames_stand_in_rows():
    frames = [np.full((20, 30, 3), 10 * k, np.uint8) for k in range(1, 6)]
    sheet = sheets.contact_sheet(frames, 3)
    assert sheet.shape == (20 * 2 + 4, 30 * 3 + 8, 3)
    for k, frame in enumerate(frames):
        y, x = (k // 3) * 24, (k % 3) * 34
        np.testing.assert_array_equal(sheet[y : y + 20, x : x + 30], frame)


def test_labels_are_drawn_and_counted():
    frames = [np.full((64, 64, 3), 90, np.uint8)] * 2
    plain, labelled = sheets.contact_sheet(frames, 2), sheets.contact_sheet(frames, 2, ["one", "zwei ü"])
    assert (plain != labelled).any()
    with pytest.raises(ValueError):
        sheets.contact_sheet(frames, 2, ["one"])
    with pytest.raises(ValueError):
        sheets.contact_sheet([], 2)


def test_png_is_lossless(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (13, 17, 3), dtype=np.uint8)
    sheets.write_png(tmp_path / "a.png", picture)
    data = (tmp_path / "a.png").read_bytes()
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(data))), picture)
