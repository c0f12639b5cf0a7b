from dataclasses import replace

import pytest
import torch
from torch.nn.functional import avg_pool2d

from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.motion.codes import Codes
from emotag.render import backends
from emotag.render.base import Splats
from emotag.tracking.pose_refinement import PoseRefinement, View, means_over

SIZE = 128
CAMERA = Camera(256.0, 256.0, 64.0, 64.0, SIZE, SIZE)


class Ball:
    """A deformer: a patterned ball of 8 cm that follows the pose."""

    def __init__(self):
        generator = torch.Generator().manual_seed(3)
        self.local = torch.nn.functional.normalize(torch.randn(1500, 3, generator=generator), dim=-1) * 0.08

    def mesh(self, codes):
        return self.local @ axis_angle_to_matrix(codes.rotation).transpose(-1, -2) + codes.translation[:, None]

    def splats(self, means):
        count = len(means)
        quaternions = torch.tensor([1.0, 0, 0, 0]).expand(count, 1500, 4)
        colours = 1.6 * torch.sin(80 * self.local + torch.tensor([0.0, 1.0, 2.0]))[None, :, None]
        return Splats(means, quaternions, torch.full((count, 1500, 3), 0.003), torch.full((count, 1500), 0.95), colours)

    def still(self, codes):
        return self

    def at(self, rotations, translations, means):
        return (self.splats(one[None]) for one in means)

    def __call__(self, codes):
        return self.splats(self.mesh(codes))


BALL = Ball()


def one_frame(pose):
    nothing = {"expression": 1, "jaw": 3, "neck": 3, "eyes": 6, "gate": 1, "emotion": 7, "condition": 1}
    zeros = {name: torch.zeros(1, size) for name, size in nothing.items()}
    return Codes(**zeros, rotation=pose[None, :3], translation=pose[None, 3:])


@pytest.fixture(scope="module")
def refinement():
    return PoseRefinement(BALL, backends.load("auto", 1), CAMERA, steps=6)


def test_known_displacement_of_a_ball_is_recovered(refinement):
    refinement = replace(refinement, pull=0.0)
    true = torch.tensor([0.02, -0.03, 0.01, 0.002, -0.001, -0.5])
    wrong = true + torch.tensor([0.012, -0.01, 0.008, 0.0012, -0.0012, 0.003])
    plate = torch.zeros(SIZE, SIZE, 3)
    shown = refinement.renderer.render(BALL(one_frame(true)), CAMERA)
    image = shown.colour[0] + (1 - shown.alpha[0, ..., None]) * plate
    with torch.inference_mode():
        found = refinement.fit(one_frame(wrong), image, plate, torch.ones(SIZE, SIZE), torch.zeros(6))
    left = (wrong + found - true).abs()
    assert (left[:3] < 2e-3).all() and (left[3:] < torch.tensor([2e-4, 2e-4, 8e-4])).all(), left


def test_without_weight_the_landmarks_pose_is_kept(refinement):
    before = torch.tensor([0.004, 0.0, -0.004, 0.0, 0.0008, 0.0])
    image, plate = torch.rand(SIZE, SIZE, 3), torch.rand(SIZE, SIZE, 3)
    with torch.inference_mode():
        found = refinement.fit(
            one_frame(torch.tensor([0, 0, 0, 0, 0, -0.5])), image, plate, torch.zeros(SIZE, SIZE), before
        )
    torch.testing.assert_close(found, torch.zeros(6))


def test_errors_do_not_add_up_over_frames_and_a_lost_start_is_left(refinement):
    true = torch.tensor([0.02, -0.03, 0.01, 0.002, -0.001, -0.5])
    plate, weight = torch.zeros(SIZE, SIZE, 3), torch.ones(SIZE, SIZE)
    image = refinement.renderer.render(BALL(one_frame(true)), CAMERA).colour[0]
    for start in (torch.zeros(6), torch.tensor([0.3, -0.2, 0.2, 0.05, 0.02, 0.1])):
        found = start
        with torch.inference_mode():
            for _ in range(8):
                found = refinement.fit(one_frame(true), image, plate, weight, found)
        assert (found.abs() < torch.tensor([1e-3, 1e-3, 1e-3, 1e-4, 1e-4, 5e-4])).all(), found


@pytest.mark.parametrize("size", (16, 17))
def test_squares_of_weight_are_compared_by_their_means_over_the_plate(size):
    random = torch.Generator().manual_seed(0)
    colour, alpha, plate = (
        torch.rand(shape, generator=random) for shape in ((3, size, 21, 3), (3, size, 21), (size, 21, 3))
    )
    weight = torch.zeros(size, 21)
    weight[3, 5] = weight[10, 20] = weight[12, 19] = 1.0
    view = View.of(colour[0], plate, weight)
    # The last column of an odd number belongs to no square.
    assert view.rows.tolist() == [1, 6] and view.columns.tolist() == [2, 9] and view.weight.tolist() == [[0.25], [0.25]]
    pooled = avg_pool2d((colour + (1 - alpha[..., None]) * plate).permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)
    torch.testing.assert_close(means_over(colour, alpha, plate, view.rows, view.columns), pooled[:, [1, 6], [2, 9]])
    torch.testing.assert_close(view.target, avg_pool2d(colour[0].permute(2, 0, 1), 2)[:, [1, 6], [2, 9]].T)
