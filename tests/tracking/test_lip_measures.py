import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from emotag.head.landmark_sets import INNER_LIP_LOWER, INNER_LIP_UPPER, INNER_LIPS, OUTER_LIPS
from emotag.tracking.lip_measures import STABLE, align, lip_measures


@pytest.fixture
def face() -> np.ndarray:
    """Points on a half cylinder, with what the measures read at known places (x right, y down, z away), eyes 100 apart."""
    random = np.random.default_rng(0)
    points = random.uniform(-80, 80, size=(478, 3))
    points[:, 2] = 50 - np.sqrt(np.maximum(100**2 - points[:, 0] ** 2, 0)) / 2
    points[33], points[263] = (-50, 0, 0), (50, 0, 0)
    points[10], points[152], points[168] = (0, -90, 0), (0, 120, 0), (0, -5, -10)
    points[list(OUTER_LIPS + INNER_LIPS)] = (0, 70, -20)
    points[61], points[291] = (-30, 70, -10), (30, 70, -10)
    return points


def opened(face: np.ndarray, gap: float) -> np.ndarray:
    points = face.copy()
    points[list(INNER_LIP_UPPER[1:-1]), 1] -= gap / 2
    points[list(INNER_LIP_LOWER[1:-1]), 1] += gap / 2
    return points


def test_known_values(face):
    clip = np.stack([opened(face, gap) for gap in (0, 10, 20)])
    measures = lip_measures(clip)
    np.testing.assert_allclose(measures[:, 0], [0, 0.1, 0.2], atol=1e-9)
    np.testing.assert_allclose(measures[:, 1], 0.6, atol=1e-9)
    np.testing.assert_allclose(measures[:, 2], -0.1, atol=1e-9)
    np.testing.assert_allclose(measures[:, 3], np.hypot(125, 10) / 100, atol=1e-9)


def test_head_motion_and_distance_change_nothing(face):
    clip = np.stack([opened(face, gap) for gap in np.linspace(0, 20, 6)])
    random = np.random.default_rng(1)
    turns = Rotation.from_rotvec(random.normal(scale=0.2, size=(6, 3))).as_matrix()
    moved = random.uniform(0.5, 2, size=(6, 1, 1)) * (clip @ turns) + random.normal(scale=100, size=(6, 1, 3))
    np.testing.assert_allclose(lip_measures(moved), lip_measures(clip), atol=1e-9)


def test_lips_do_not_move_the_alignment(face):
    clip = np.stack([face, opened(face, 60)])
    aligned = align(clip)
    np.testing.assert_allclose(aligned[0, list(STABLE)], aligned[1, list(STABLE)], atol=1e-9)
