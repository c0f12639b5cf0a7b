"""FLAME as a head model, from a pickle whose expression components are known units."""

import pickle

import numpy as np
import pytest
import torch

from emotag.config import HeadConfig
from emotag.errors import ArtifactMismatch
from emotag.head import flame_source, models
from emotag.head.flame import FlameMesh
from emotag.head.flame_build import build
from emotag.head.flame_landmarks import Anchors
from emotag.head.landmark_sets import INNER_LIP_LOWER, INNER_LIP_UPPER
from emotag.head.regions import PARTS
from emotag.stages import flame as stage


def channels(head, column, value=4.0):
    """The head's channels of one of FLAME's own components."""
    own = torch.zeros(1, len(head.expression_names))
    own[0, column] = value
    return own @ head.mixing.T


def test_channels_are_a_rotation_of_flames_components(flame_head, flame_file):
    mixing = flame_head.mixing.double()
    assert torch.allclose(mixing @ mixing.T, torch.eye(len(mixing), dtype=torch.float64), atol=1e-5)
    mesh = FlameMesh(flame_source.read(flame_file))
    own = torch.randn(2, len(mixing), generator=torch.Generator().manual_seed(1))
    padded = torch.cat([own, torch.zeros(2, mesh.expression_size - len(mixing))], 1)
    still = [torch.zeros(2, size) for size in (3, 3, 6, 3, 3)]
    expected = mesh.vertices(torch.zeros(1, 300), padded, *still)
    found = flame_head.vertices(torch.zeros(1, 300), own @ flame_head.mixing.T, *still)
    assert torch.allclose(found[:, : expected.shape[1]], expected, atol=1e-6)


def test_upper_channels_move_the_upper_face(flame_head):
    names, basis = flame_head.expression_names, flame_head.data.expression_basis
    above = flame_head.neutral[:, 1] > flame_head.landmarks(flame_head.neutral[None])[0, 4, 1]
    power = (basis**2).sum(2)
    share = power[:, above.numpy()].sum(1) / power.sum(1)
    upper = np.array([name.startswith("upper") for name in names])
    assert 5 < upper.sum() < len(names) - 5 and share[upper].mean() > 0.8 and share[~upper].mean() < 0.35


@pytest.mark.parametrize(("unit", "au"), [("eyeBlinkLeft", "AU45"), ("browInnerUp", "AU01"), ("cheekPuff", None)])
def test_action_units_of_known_units(flame_head, head, unit, au):
    """FLAME's first components are a quarter of a unit each: four of them are the unit."""
    found = flame_head.action_units(channels(flame_head, head.unit(unit)), torch.zeros(1, 3))[0]
    expected = torch.zeros(len(found))
    if au:
        expected[flame_head.action_unit_names.index(au)] = 2.5 if unit.endswith("Left") else 5.0
    assert (found - expected).abs().max() < 1.1


def test_teeth_hang_on_neck_and_jaw(flame_data, flame_file):
    teeth = flame_data.face_part == PARTS.index("teeth")
    source = flame_source.read(flame_file)
    assert len(flame_data.neutral) - len(source.neutral) == 120 and teeth.sum() == 168
    added = slice(len(source.neutral), None)
    assert (flame_data.expression_basis[:, added] == 0).all() and (flame_data.pose_basis[:, added] == 0).all()
    assert set(map(tuple, flame_data.skinning[added])) == {(0, 1, 0, 0, 0), (0, 0, 1, 0, 0)}
    # Behind the lips, and with them where the person is another one.
    triangles, weights = flame_data.landmark_triangles, flame_data.landmark_barycentric
    for shape in (np.zeros(300), np.eye(300)[0], np.eye(300)[3]):
        person = flame_data.neutral + np.tensordot(shape, flame_data.shape_basis, 1)
        line = [
            np.einsum("c,cd->d", weights[i], person[triangles[i]]) for i in (INNER_LIP_UPPER[5], INNER_LIP_LOWER[5])
        ]
        front = person[added][np.abs(person[added][:, 0] - line[0][0]) < 4e-3]
        assert -0.02 < (front[:, 2].max() - np.mean(line, axis=0)[2]) < -0.002
        assert abs(front[:, 1].mean() - np.mean(line, axis=0)[1]) < 0.004


def test_teeth_face_outwards(flame_data):
    teeth = flame_data.faces[flame_data.face_part == PARTS.index("teeth")]
    corners = flame_data.neutral[teeth]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    rows = (teeth - len(flame_data.neutral) + 120) // 15
    fronts = (rows.min(1) % 4 == 0) & (rows.max(1) % 4 == 1)
    assert fronts.sum() == 56 and (normal[fronts][:, 2] > 0).all()


def test_root_translation_is_flames_own_convention(flame_head):
    generator = torch.Generator().manual_seed(3)
    shape, expression = torch.randn(1, 300, generator=generator), torch.randn(2, 30, generator=generator)
    jaw, neck, eyes, rotation, translation = (0.3 * torch.randn(2, n, generator=generator) for n in (3, 3, 6, 3, 3))
    theirs = flame_head.mesh.vertices(shape, expression, jaw, neck, eyes, rotation, translation)
    here = translation + flame_head.root_translation(shape, expression, rotation)
    assert torch.allclose(flame_head.vertices(shape, expression, jaw, neck, eyes, rotation, here), theirs, atol=2e-6)


def test_own_masks_and_landmarks_are_taken(head, flame_file):
    source = flame_source.read(flame_file)
    ears = np.flatnonzero(source.neutral[:, 0] > np.percentile(source.neutral[:, 0], 97))
    plain = build(source, head, "flame2020", 5)
    triangle, weight = plain.landmark_triangles[61], plain.landmark_barycentric[61]
    face = np.flatnonzero((np.sort(source.faces, 1) == np.sort(triangle)).all(1))
    order = [list(triangle).index(vertex) for vertex in source.faces[face[0]]]
    anchors = Anchors(face[:1], weight[order][None].astype(float), np.array([61]))
    given = build(source, head, "flame2020", 5, anchors, {"left_ear": ears, "right_ear": ears})
    on_ears = np.isin(source.faces, ears).all(1) & ~(given.face_part[: len(source.faces)] == PARTS.index("eyeballs"))
    assert (given.face_part[: len(source.faces)] == PARTS.index("ears"))[on_ears].all()
    assert (given.face_part == PARTS.index("ears")).sum() == on_ears.sum()
    points = [
        np.einsum("c,cd->d", d.landmark_barycentric[61], d.neutral[d.landmark_triangles[61]]) for d in (plain, given)
    ]
    assert np.linalg.norm(points[0] - points[1]) < 1e-3


def test_stage_converts_once(tmp_path, flame_file, head_file):
    masks, landmarks = tmp_path / "FLAME_masks.pkl", tmp_path / "mediapipe_landmark_embedding.npz"
    masks.write_bytes(pickle.dumps({"scalp": np.arange(50), "neck": np.arange(50, 90)}, 2))
    np.savez(landmarks, lmk_face_idx=np.array([3]), lmk_b_coords=np.ones((1, 3)) / 3, landmark_indices=np.array([10]))
    config = HeadConfig(model="flame2023open", expressions=12)
    files = {"model": flame_file, "makehuman": head_file, "name": "flame2023open", "config": config}
    stage.run(**files, landmarks=[], masks=[masks], out=tmp_path / "a.safetensors")
    found = models.load(tmp_path / "a.safetensors")
    assert found.name == "flame2023open" and len(found.expression_names) == 12 and found.shape_size == 300
    with pytest.raises(ArtifactMismatch, match="cannot be read as arrays"):
        stage.run(**files, landmarks=[masks], masks=[], out=tmp_path / "b.safetensors")
    with pytest.raises(ArtifactMismatch, match="kind"):
        found.data.save(tmp_path / "b.safetensors")
        other = tmp_path / "landmarks.safetensors"
        from emotag.artifacts import Emotion

        Emotion(np.zeros((1, 7)), "x").save(other)
        models.load(other)
