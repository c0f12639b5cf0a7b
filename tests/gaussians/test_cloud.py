import numpy as np
import pytest
import torch

from emotag.errors import ArtifactMismatch
from emotag.gaussians.cloud import BUFFERS, PARAMETERS, GaussianCloud


@pytest.fixture
def cloud():
    random = torch.Generator().manual_seed(0)
    sizes = {"mean": (7, 3), "quaternion": (7, 4), "log_scale": (7, 3), "opacity_logit": (7,), "sh": (7, 4, 3)}
    named = {name: torch.randn(*size, generator=random) for name, size in sizes.items()}
    return GaussianCloud(**named, triangle=torch.arange(7) * 2, region=torch.arange(7) % 3)


def test_arrays_bring_the_cloud_back(cloud):
    arrays = cloud.to_arrays()
    assert set(arrays) == set(PARAMETERS + BUFFERS)
    back = GaussianCloud.from_arrays(arrays)
    for name in PARAMETERS + BUFFERS:
        assert torch.equal(getattr(back, name), getattr(cloud, name))
    assert len(list(back.parameters())) == len(PARAMETERS)


def test_wrong_arrays_are_told(cloud):
    arrays = cloud.to_arrays()
    with pytest.raises(ArtifactMismatch, match="found arrays"):
        GaussianCloud.from_arrays({name: array for name, array in arrays.items() if name != "sh"})
    with pytest.raises(ArtifactMismatch, match="found lengths"):
        GaussianCloud.from_arrays({**arrays, "region": np.zeros(3, np.int64)})


def test_selection_keeps_triangle_and_region(cloud):
    children = cloud.select(torch.tensor([3, 3, 0]))
    assert children.triangle.tolist() == [6, 6, 0] and children.region.tolist() == [0, 0, 0]
    assert torch.equal(children.mean[1], cloud.mean[3])
    assert len(cloud.select(cloud.region == 1)) == 2


def test_activations(cloud):
    torch.testing.assert_close(cloud.scale.log(), cloud.log_scale)
    torch.testing.assert_close(cloud.opacity.logit(), cloud.opacity_logit)
