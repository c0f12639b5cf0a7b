"""From expression units to what the lips do: the four lip measures around a person's mean motion."""

import numpy as np
import torch

from emotag.head.base import HeadModel
from emotag.tracking.lip_measures import lip_measures
from emotag.types import LANDMARKS

STEP = 0.05  # of an expression unit, and rad of the jaw: about one deviation


def measures(head: HeadModel, shape: np.ndarray, offsets: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Lip measures [T, 4] in outer-eye distances of `motion` [T, C] (expression, then jaw), the head facing the camera.

    `shape` [S] and `offsets` [478, 3] m as in `Subject`.
    """
    moving = torch.from_numpy(np.asarray(motion, np.float32))
    count, units = len(moving), len(head.expression_names)
    still = {size: torch.zeros(count, size) for size in (3, 6)}
    person = torch.from_numpy(np.asarray(shape, np.float32)).expand(count, -1)
    with torch.inference_mode():
        vertices = head.vertices(person, moving[:, :units], moving[:, units:], still[3], still[6], still[3], still[3])
        points = head.landmarks(vertices, torch.from_numpy(np.asarray(offsets, np.float32)), still[3]).numpy()
    # The mesh has y up and z towards the viewer, landmarks in pixels have both the other way round.
    return lip_measures(points * [1.0, -1.0, -1.0])


def lip_jacobian(head: HeadModel, shape: np.ndarray, offsets: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """[C, 4] derivative of the lip measures by the channels of a motion, at the person's `mean` motion [C].

    Central differences: at the edge of a unit's range the head's own limits are not yet applied.
    """
    steps = STEP * np.eye(len(mean))
    moved = measures(head, shape, offsets, np.concatenate([mean + steps, mean - steps]))
    return (moved[: len(mean)] - moved[len(mean) :]) / (2 * STEP)


def usual_jacobian(head: HeadModel, mean: np.ndarray) -> np.ndarray:
    """`lip_jacobian` of the mean person at the prior's `mean` motion [C]."""
    return lip_jacobian(head, np.zeros(head.shape_size), np.zeros((LANDMARKS, 3)), mean)
