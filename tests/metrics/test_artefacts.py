"""Floaters and seams: counted on pictures in which they were put by hand."""

import cv2
import numpy as np
import pytest

from emotag.metrics.artefacts import Border


def scene(size=512):
    head = np.zeros((size, size), np.uint8)
    cv2.circle(head, (size // 2, size // 2), size // 5, 1, -1)
    frame = np.full((size, size, 3), 120, np.uint8)
    frame[head > 0] = 140
    return frame, head.astype(bool)


@pytest.mark.parametrize("size", [256, 512])
def test_floaters_are_counted_where_they_were_put(size):
    frame, head = scene(size)
    image, unit = frame.copy(), size // 64
    for corner in ((unit, unit), (size - 4 * unit, 2 * unit), (3 * unit, size - 5 * unit)):
        cv2.rectangle(image, corner, (corner[0] + unit, corner[1] + unit), (255, 255, 255), -1)
    assert Border.of(frame, head).floaters(image) == 3 and Border.of(frame, head).floaters(frame) == 0


def test_specks_faint_patches_and_the_head_itself_are_no_floaters():
    frame, head = scene()
    image = frame.copy()
    image[10:12, 10:12] = 255
    image[100:120, 20:40] += 40
    image[head] = 0
    edge = np.flatnonzero(head[256])[-1]
    image[250:260, edge : edge + 10] = 255
    assert Border.of(frame, head).floaters(image) == 0


def test_seam_is_the_share_of_the_border_with_a_new_edge():
    frame, head = scene()
    assert Border.of(frame, head).seam_share(frame) == 0
    stitched = frame.copy()
    stitched[head] = 230
    whole = Border.of(frame, head).seam_share(stitched)
    half = stitched.copy()
    half[:, :256] = frame[:, :256]
    assert whole > 0.15
    assert Border.of(frame, head).seam_share(half) == pytest.approx(whole / 2, rel=0.1)


def test_an_edge_the_truth_has_nearby_is_no_seam():
    frame, head = scene()
    truth = frame.copy()
    truth[head] = 230
    assert Border.of(truth, head).seam_share(np.roll(truth, 2, 1)) == 0
    assert np.isnan(Border.of(frame, np.zeros_like(head)).seam_share(frame))
