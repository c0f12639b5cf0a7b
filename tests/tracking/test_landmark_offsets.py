import numpy as np
import pytest
import torch

from emotag.geometry.camera import Camera
from emotag.head.landmark_sets import INNER_LIP_PAIRS
from emotag.tracking.landmark_offsets import SHRINKAGE, head_frame_residual, keep_contact, shared_offsets
from emotag.tracking.reprojection import Observations, project

RANDOM = np.random.default_rng(0)


def test_residual_is_the_displacement_across_the_line_of_sight():
    camera = Camera(300, 300, 100, 100, 200, 200)
    local = torch.from_numpy(RANDOM.normal(0, 0.01, (2, 478, 3))).float()
    state = torch.tensor([[0, 0, 0, 0, 0, -0.8], [0, 0, 0.5, 0.02, 0, -0.9]])
    moved = local + torch.tensor([2e-3, -1e-3, 0.0])
    none = torch.zeros(0, 2, dtype=torch.long)
    detected = project(moved, state, camera)
    seen = Observations(detected, torch.ones(2, 478), none, torch.zeros(2, 0), np.ones(1, bool), 1.0, camera, 3.0)
    residual = head_frame_residual(local, state, seen)
    torch.testing.assert_close(residual, torch.tensor([2e-3, -1e-3, 0.0]).expand(2, 478, 3), atol=3e-5, rtol=0)


def test_pairs_that_meet_move_together():
    kept = keep_contact(RANDOM.normal(size=(478, 3)))
    for upper, lower in INNER_LIP_PAIRS:
        np.testing.assert_array_equal(kept[upper], kept[lower])


def test_shared_part_is_common_and_symmetric():
    rest = RANDOM.normal(size=(10, 3))
    rest = np.concatenate([rest, rest * [-1, 1, 1]])
    common = RANDOM.normal(size=(10, 3))
    common = np.concatenate([common, common * [-1, 1, 1]])
    people = common + RANDOM.normal(0, 1e-3, (12, 20, 3))
    found = shared_offsets(people, rest)
    np.testing.assert_allclose(found, SHRINKAGE * common, atol=2e-3)
    np.testing.assert_allclose(found[10:], found[:10] * [-1, 1, 1])


def test_few_people_are_refused():
    with pytest.raises(ValueError, match="expected at least 10"):
        shared_offsets(np.zeros((9, 4, 3)), np.zeros((4, 3)))
