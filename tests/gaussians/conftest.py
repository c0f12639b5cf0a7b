import numpy as np
import pytest
import torch


@pytest.fixture
def ball():
    """A closed triangle mesh of about head size, in float64: vertices [V, 3] m and faces [F, 3], outward."""
    from scipy.spatial import ConvexHull

    random = np.random.default_rng(0)
    points = random.standard_normal((60, 3))
    points *= 0.1 / np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices
    a, b, c = (points[faces[:, i]] for i in range(3))
    inward = ((np.cross(b - a, c - a) * a).sum(1)) < 0
    faces[inward] = faces[inward][:, ::-1]
    return torch.from_numpy(points), torch.from_numpy(faces.astype(np.int64))
