"""Measures of quality against closed forms."""

import cv2
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emotag.head.landmark_sets import FACE_OVAL, IBUG_INNER_51
from emotag.metrics import temporal
from emotag.tracking import errors, quality

GOOD = {
    "snr_db": 30, "face_px": 300, "sharpness": 80, "interpolated_share": 0, "yaw_range_deg": 10,
    "detected_jitter_iod": 0.01, "inner51_iod": 0.01,
}  # fmt: skip


def test_signal_to_noise_of_half_silence():
    rng = np.random.default_rng(0)
    samples = rng.normal(0, 1, 32000) * np.where(np.arange(32000) < 16000, 0.1, 0.001)
    assert quality.signal_to_noise_db(samples.astype(np.float32)) == pytest.approx(40, abs=2.5)
    assert quality.signal_to_noise_db(np.zeros(32000, np.float32)) == 0
    assert quality.signal_to_noise_db(np.zeros(10, np.float32)) == 0


def test_angles_come_back():
    yaw = np.linspace(-30, 20, 101)
    pitch = np.linspace(5, 15, 101)
    vectors = Rotation.from_euler("xyz", np.stack([pitch, yaw, 0 * yaw], 1), degrees=True).as_rotvec()
    found = quality.head_angles_deg(vectors)
    assert found["yaw_range_deg"] == pytest.approx(0.96 * 50, abs=0.1)
    assert found["pitch_range_deg"] == pytest.approx(0.96 * 10, abs=0.1)
    assert found["roll_range_deg"] == pytest.approx(0, abs=1e-6)


def test_blur_lowers_sharpness():
    frame = np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8)
    points = np.full((478, 3), 150.0)
    points[list(FACE_OVAL), :2] += 100 * np.stack([np.sin(np.linspace(0, 6, 36)), np.cos(np.linspace(0, 6, 36))], 1)
    values = [quality.sharpness(cv2.GaussianBlur(frame, (0, 0), s) if s else frame, points) for s in (0, 1, 3)]
    assert values[0] > 4 * values[1] > 16 * values[2]


def test_verdicts():
    assert quality.judge(GOOD) == ("ok", [])
    verdict, reasons = quality.judge(GOOD | {"snr_db": 10})
    assert verdict == "warn" and len(reasons) == 1 and "snr_db: found 10 dB, expected at least 15 dB" in reasons[0]
    verdict, reasons = quality.judge(GOOD | {"inner51_iod": 0.2, "face_px": 100})
    assert verdict == "refuse" and len(reasons) == 2
    assert quality.judge(GOOD | {"snr_db": 15, "inner51_iod": 0.02})[0] == "ok"


def test_eye_distance():
    points = np.zeros((4, 478, 3))
    points[:, 263, :2] = [30, 40]
    assert quality.outer_eye_distance(points) == 50


def test_jitter_of_tracking_is_that_of_video_over_the_eye_distance():
    points = np.random.default_rng(5).normal(0, 30, (20, 478, 2))
    assert errors.jitter(points, 50.0) == pytest.approx(temporal.jitter(points[:, list(IBUG_INNER_51)]) / 50)


def test_cuts_are_leaps_not_motion():
    rng = np.random.default_rng(3)
    face = rng.normal(0, 40, (478, 3))
    face[33], face[263] = [-50, 0, 0], [50, 0, 0]
    time = np.arange(60)
    path = np.stack([30 * np.sin(time / 4), 5 * np.cos(time / 3), 0 * time], 1) + 200
    assert quality.cuts(face + path[:, None]) == []
    path[40:] += [12, 3, 0]
    assert quality.cuts(face + path[:, None]) == [40]
