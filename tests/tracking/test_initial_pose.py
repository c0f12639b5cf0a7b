import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.tracking.initial_pose import initial_pose, matrix_to_axis_angle

angle = st.floats(-0.9, 0.9)


@given(st.tuples(angle, angle, angle))
@settings(max_examples=30, deadline=None)
def test_axis_angle_is_the_librarys(vector):
    matrix = Rotation.from_rotvec(vector).as_matrix()[None]
    np.testing.assert_allclose(matrix_to_axis_angle(matrix)[0], vector, atol=1e-6)


@given(st.tuples(angle, angle, angle))
@settings(max_examples=20, deadline=None)
def test_distant_head_is_found_exactly(vector):
    reference = np.random.default_rng(1).normal(0, 0.05, (478, 3))
    rotation = axis_angle_to_matrix(torch.tensor(vector).double()).numpy()
    translation = np.array([0.4, -0.3, -60.0])
    camera = Camera(50_000, 50_000, 250, 240, 500, 480)
    posed = reference @ rotation.T + translation
    pixels = camera.project(torch.from_numpy(posed)).numpy()
    depth = -(posed[:, 2:] - translation[2]) * camera.fx / -translation[2]
    found = initial_pose(np.concatenate([pixels, depth], 1)[None], reference, camera)[0]
    np.testing.assert_allclose(found[:3], vector, atol=5e-3)
    np.testing.assert_allclose(found[3:5], translation[:2], atol=2e-3)
    np.testing.assert_allclose(found[5], translation[2], rtol=5e-3)
