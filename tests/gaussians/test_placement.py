import pytest
import torch

from emotag.errors import ConfigError
from emotag.gaussians.binding import Binding
from emotag.gaussians.cloud import HAIR
from emotag.gaussians.placement import COVERAGE, FLATNESS, SHELLS_M, initialise, initialise_hair, join
from emotag.render.sh import C0


def test_equal_count_on_each_triangle_and_exact_sum(ball):
    vertices, faces = ball
    chosen = torch.arange(10, 40)
    region = torch.arange(len(faces)) % 2
    for count in (90, 100):
        cloud = initialise(vertices, faces, chosen, count, torch.rand(60, 3), region)
        counts = torch.bincount(cloud.triangle, minlength=len(faces))
        assert len(cloud) == count
        assert counts[:10].sum() == 0 and counts[40:].sum() == 0
        assert counts[10:40].min() == 3 and counts[10:40].max() == (3 if count == 90 else 4)
        assert torch.equal(cloud.region, region[cloud.triangle])
    assert len(initialise(vertices, faces, chosen, 7, torch.rand(60, 3), region)) == 7


def test_gaussians_lie_in_their_triangles_with_its_colours(ball):
    vertices, faces = ball
    everywhere = torch.ones(len(faces), dtype=torch.bool)
    # A colour that is linear in position is reproduced by barycentric interpolation.
    cloud = initialise(vertices, faces, everywhere, 2000, 0.5 + 3 * vertices, torch.zeros(len(faces)), 1, seed=3)
    means = Binding(cloud.triangle, faces)(cloud.double(), vertices[None]).means[0]
    a, b, c = vertices[faces[cloud.triangle]].unbind(1)
    weights = torch.linalg.solve(torch.stack([a, b, c], -1), means)
    assert weights.min() > -1e-5
    torch.testing.assert_close(weights.sum(-1), torch.ones(2000, dtype=torch.float64), atol=1e-5, rtol=0)
    # Uniform in the triangle: the mean barycentric coordinate is 1/3, its variance 1/18.
    assert weights.mean(0).sub(1 / 3).abs().max() < 0.02
    assert weights.var(0).sub(1 / 18).abs().max() < 0.006
    torch.testing.assert_close(cloud.sh[:, 0] * C0, 3 * means, atol=1e-5, rtol=0)
    assert not cloud.sh[:, 1:].any()


def test_scales_cover_the_area_and_are_flat(ball):
    vertices, faces = ball
    everywhere = torch.ones(len(faces), dtype=torch.bool)
    cloud = initialise(vertices, faces, everywhere, 5 * len(faces), torch.rand(60, 3), torch.zeros(len(faces)))
    scales = Binding(cloud.triangle, faces)(cloud.double(), vertices[None]).scales[0]
    a, b, c = vertices[faces[cloud.triangle]].unbind(1)
    area = 0.5 * torch.linalg.cross(b - a, c - a).norm(dim=-1)
    torch.testing.assert_close(scales[:, 0], COVERAGE * (area / 5).sqrt(), rtol=1e-4, atol=0)
    torch.testing.assert_close(scales[:, 1] / scales[:, 0], torch.full_like(area, FLATNESS), rtol=1e-4, atol=0)


def test_seed_decides(ball):
    vertices, faces = ball
    everywhere = torch.ones(len(faces), dtype=torch.bool)
    first, again, other = (
        initialise(vertices, faces, everywhere, 500, torch.rand(60, 3), torch.zeros(len(faces)), seed=seed)
        for seed in (1, 1, 2)
    )
    assert torch.equal(first.mean, again.mean) and not torch.equal(first.mean, other.mean)


def test_hair_stands_in_shells_above_the_scalp(ball):
    vertices, faces = ball
    scalp = vertices[faces].mean(1)[:, 1] > 0.05
    hair = initialise_hair(vertices, faces, scalp, 400, torch.rand(60, 3))
    assert (hair.region == HAIR).all() and scalp[hair.triangle].all()
    means = Binding(hair.triangle, faces)(hair.double(), vertices[None]).means[0]
    a, b, c = vertices[faces[hair.triangle]].unbind(1)
    normals = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=-1)
    heights = ((means - a) * normals).sum(-1)
    nearest = (heights[:, None] - torch.tensor(SHELLS_M, dtype=torch.float64)).abs()
    assert nearest.min(1).values.max() < 1e-6
    assert torch.bincount(nearest.argmin(1)).tolist() == [100] * len(SHELLS_M)
    skin = initialise(vertices, faces, ~scalp, 100, torch.rand(60, 3), torch.zeros(len(faces)))
    assert len(join([skin, hair.float()])) == 500


def test_nothing_to_place_on_is_told(ball):
    vertices, faces = ball
    with pytest.raises(ConfigError, match="found 0 triangles"):
        initialise(vertices, faces, torch.zeros(len(faces), dtype=torch.bool), 5, vertices, torch.zeros(len(faces)))
