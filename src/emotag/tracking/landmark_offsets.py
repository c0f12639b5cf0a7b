"""Systematic difference between where a detector puts a point and the model's surface, in the head's frame.

Detectors place points by appearance, so each point misses its surface point by a nearly constant vector of the head. The
median residual over frames, turned back into the head's frame, is that vector's part across the line of sight.
"""

import numpy as np
import torch
from torch import Tensor

from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.landmark_sets import INNER_LIP_PAIRS, LEFT_LID_PAIRS, RIGHT_LID_PAIRS
from emotag.tracking.landmark_basis import LandmarkBasis
from emotag.tracking.optimiser import Estimate
from emotag.tracking.reprojection import POSE, Observations, project

SHRINKAGE = 0.8
LARGEST_M = 6e-3
FEWEST_PEOPLE = 10


def head_frame_residual(local: Tensor, state: Tensor, observations: Observations) -> Tensor:
    """Detected minus projected [T, L, 2] px as displacements [T, L, 3] m across the line of sight, in the head's frame."""
    camera = observations.camera
    missing = observations.points - project(local, state, camera)
    rotation = axis_angle_to_matrix(state[:, :3])
    depth = -((local @ rotation.mT)[..., 2] + state[:, None, 5])
    across = torch.stack(
        [missing[..., 0] / camera.fx * depth, -missing[..., 1] / camera.fy * depth, torch.zeros_like(depth)], -1
    )
    return across @ rotation


def keep_contact(offsets: np.ndarray) -> np.ndarray:
    """Give both points of a pair that meets (inner lips, lids) the mean of their offsets [L, 3], so that a mouth or an eye
    that is closed in the image is closed on the mesh."""
    result = offsets.copy()
    for pairs in (INNER_LIP_PAIRS, LEFT_LID_PAIRS, RIGHT_LID_PAIRS):
        index = np.array(pairs)
        result[index] = offsets[index].mean(1, keepdims=True)
    return result


def systematic_residual(
    basis: LandmarkBasis, observations: Observations, estimate: Estimate, offsets: Tensor
) -> np.ndarray:
    """Median residual [L, 3] m in the head's frame of a fit with `offsets` [L, 3]."""
    state = torch.from_numpy(estimate.state).float()
    local = basis.posed(torch.from_numpy(estimate.shape).float(), offsets).points(state[:, POSE:])
    return head_frame_residual(local, state, observations).median(0).values.double().numpy()


def person_offsets(basis: LandmarkBasis, observations: Observations, estimate: Estimate) -> np.ndarray:
    """This person's landmark offsets [L, 3] m on top of the embedding's: shrunk, limited, contacts kept."""
    none = torch.zeros(basis.coefficients.shape[0], 3)
    return moderate(systematic_residual(basis, observations, estimate, none))


def moderate(residual: np.ndarray) -> np.ndarray:
    """A systematic residual [L, 3] m as offsets: shrunk, limited, contacts kept."""
    found = SHRINKAGE * keep_contact(residual)
    length = np.linalg.norm(found, axis=1, keepdims=True)
    return found * np.minimum(1, LARGEST_M / np.maximum(length, 1e-9))


def shared_offsets(people: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """The part of many people's landmark offsets [N, L, 3] m that belongs to the detector, not to a person: the median
    over people and over left and right, shrunk. `rest` [L, 3] m tells which points mirror each other.

    A median over at least ten people gives nobody's face back.

    Raises:
        ValueError: fewer than ten people.
    """
    if len(people) < FEWEST_PEOPLE:
        raise ValueError(f"offsets of {len(people)} people, expected at least {FEWEST_PEOPLE}")
    flip = np.array([-1.0, 1.0, 1.0])
    mirror = np.linalg.norm(rest[:, None] - rest[None] * flip, axis=2).argmin(1)
    return SHRINKAGE * np.median(np.concatenate([people, people[:, mirror] * flip]), axis=0)
