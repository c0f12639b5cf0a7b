"""Lip measures as a function of motion, on a head whose points move linearly by known amounts."""

import numpy as np
import torch

from emotag.head.landmark_sets import INNER_LIP_PAIRS, OUTER_EYE_CORNERS
from emotag.motion.lip_space import lip_jacobian, measures
from emotag.tracking.lip_measures import MEASURES

EYES = 0.1  # m between the outer corners


class PlainHead:
    """478 points: a unit opens the lips by 20 mm, another widens the mouth by 10 mm, a brow moves nothing of it."""

    expression_names = ("browInnerUp", "mouthStretch")
    shape_size = 1

    def __init__(self):
        random = np.random.default_rng(0)
        self.rest = random.uniform([-0.06, 0.02, 0.0], [0.06, 0.09, 0.03], (478, 3))
        self.rest[list(OUTER_EYE_CORNERS)] = [[-EYES / 2, 0.03, 0], [EYES / 2, 0.03, 0]]
        self.rest[[61, 291]] = [[-0.025, -0.04, 0], [0.025, -0.04, 0]]
        self.moves = np.zeros((5, 478, 3))
        self.moves[1, [61, 291], 0] = [-0.005, 0.005]
        for upper, lower in INNER_LIP_PAIRS:
            self.rest[upper], self.rest[lower] = [0, -0.035, 0.005], [0, -0.045, 0.005]
            self.moves[2, lower, 1] = -0.02

    def vertices(self, shape, expression, jaw, neck, eyes, rotation, translation):
        motion = torch.cat([expression, jaw], 1).double()
        return torch.from_numpy(self.rest) + torch.einsum("tc,cld->tld", motion, torch.from_numpy(self.moves))

    def landmarks(self, vertices, offsets, rotation):
        return vertices + offsets


def test_derivatives_are_the_known_movements_over_the_eye_distance():
    jacobian = lip_jacobian(PlainHead(), np.zeros(1), np.zeros((478, 3)), np.full(5, 0.1))
    expected = np.zeros((5, 4))
    expected[2, MEASURES.index("aperture")] = 0.02 / EYES
    expected[1, MEASURES.index("width")] = 0.01 / EYES
    assert np.allclose(jacobian[:, :2], expected[:, :2], atol=2e-3)
    assert not np.abs(jacobian[[0, 3, 4]]).max() > 1e-6


def test_jacobian_predicts_movements():
    head, mean = PlainHead(), np.full(5, 0.1)
    motion = mean + 0.1 * np.random.default_rng(0).uniform(-1, 1, (5, 5))
    exact = measures(head, np.zeros(1), np.zeros((478, 3)), np.concatenate([mean[None], motion]))
    linear = (motion - mean) @ lip_jacobian(head, np.zeros(1), np.zeros((478, 3)), mean)
    assert np.allclose(exact[1:] - exact[0], linear, atol=0.02 * np.abs(linear).max())
