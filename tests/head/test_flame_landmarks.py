"""FLAME's landmark files, written as its authors and DECA hand them on."""

import numpy as np
import pytest
import torch

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head import flame_landmarks, flame_source
from emotag.head.flame_build import anchored, build
from emotag.head.landmark_sets import IBUG_INNER_51
from flame_files import flame_pickle, landmark_embedding, save_object


@pytest.fixture(scope="module")
def content(head):
    return landmark_embedding(head, flame_pickle(head))


@pytest.mark.parametrize("protocol", range(5))
def test_static_points_and_contour_come_back(tmp_path, content, protocol):
    read = flame_landmarks.read_68(save_object(tmp_path / "landmark_embedding.npy", content, protocol))
    np.testing.assert_array_equal(read.inner_faces, content["static_lmk_faces_idx"])
    np.testing.assert_array_equal(read.inner_barycentric, content["static_lmk_bary_coords"])
    np.testing.assert_array_equal(read.contour_faces, content["dynamic_lmk_faces_idx"].numpy())
    np.testing.assert_array_equal(read.contour_barycentric, content["dynamic_lmk_bary_coords"].numpy())
    # The frontal contour is the first row, so that with the inner points it is the list of all.
    frontal = np.concatenate([read.contour_faces[0], read.inner_faces])
    np.testing.assert_array_equal(frontal, content["full_lmk_faces_idx"][0])


def test_what_numpy_saves_is_the_same_file(tmp_path, content):
    np.save(tmp_path / "landmark_embedding.npy", np.array(content, dtype=object), allow_pickle=True)
    read = flame_landmarks.read_68(tmp_path / "landmark_embedding.npy")
    assert read.contour_faces.dtype == np.int64 and read.contour_barycentric.shape == (79, 17, 3)
    plain = {key: np.asarray(value) for key, value in content.items()}
    again = flame_landmarks.read_68(save_object(tmp_path / "plain.npy", plain))
    np.testing.assert_array_equal(again.contour_faces, read.contour_faces)


def test_anchors_are_the_points_of_the_head_it_was_made_of(head, tmp_path, content, flame_file):
    source = flame_source.read(flame_file)
    anchors = flame_landmarks.read(save_object(tmp_path / "landmark_embedding.npy", content))
    places = anchored(source, anchors)
    assert set(places) == {*IBUG_INNER_51, 152}
    plain, given = (build(source, head, "flame2020", 5, known) for known in (None, anchors))

    def away(data):
        points = np.einsum("ncd,nc->nd", data.neutral[data.landmark_triangles], data.landmark_barycentric)
        return np.array([np.linalg.norm(points[number] - place) for number, place in places.items()])

    assert np.median(away(given)) < 0.7 * np.median(away(plain)) and away(given).mean() < away(plain).mean() < 3e-3


def test_other_files_are_refused(tmp_path, content, flame_file):
    with pytest.raises(AssetMissing):
        flame_landmarks.read(tmp_path / "landmark_embedding.npy")
    for change, match in (
        ({"dynamic_lmk_faces_idx": torch.zeros(17, 79)}, "dynamic_lmk_faces_idx is"),
        ({"static_lmk_faces_idx": np.zeros(68)}, "static_lmk_faces_idx is"),
    ):
        with pytest.raises(ArtifactMismatch, match=match):
            flame_landmarks.read(save_object(tmp_path / "a.npy", content | change))
    with pytest.raises(ArtifactMismatch, match="found no static_lmk"):
        flame_landmarks.read(save_object(tmp_path / "a.npy", {"x": 1}))
    with pytest.raises(ArtifactMismatch, match="found str"):
        flame_landmarks.read(save_object(tmp_path / "a.npy", "points"))
    np.save(tmp_path / "a.npy", np.zeros(3))
    with pytest.raises(ArtifactMismatch, match="expected one object"):
        flame_landmarks.read(tmp_path / "a.npy")
    (tmp_path / "a.npy").write_bytes(b"no array")
    with pytest.raises(ArtifactMismatch, match="no file of numpy"):
        flame_landmarks.read(tmp_path / "a.npy")
    beyond = content | {"static_lmk_faces_idx": np.full(51, 10**6)}
    anchors = flame_landmarks.read(save_object(tmp_path / "a.npy", beyond))
    with pytest.raises(ArtifactMismatch, match="on faces up to 1000000"):
        anchored(flame_source.read(flame_file), anchors)


class Payload:
    def __init__(self, path):
        self.path = str(path)

    def __reduce__(self):
        import os

        return os.mkdir, (self.path,)


def test_a_malicious_array_is_refused_and_not_run(tmp_path, content):
    """In the dictionary, and in the bytes that a tensor's storage is read from."""
    target = tmp_path / "made"
    path = save_object(tmp_path / "a.npy", content | {"extra": Payload(target)})
    with pytest.raises(ArtifactMismatch, match="refused, because it names .*mkdir"):
        flame_landmarks.read(path)
    inner = tmp_path / "inner"
    torch.save(Payload(target), inner, _use_new_zipfile_serialization=False)

    class Storage:
        def __reduce__(self):
            return torch.storage._load_from_bytes, (inner.read_bytes(),)

    path = save_object(tmp_path / "a.npy", content | {"extra": Storage()})
    with pytest.raises(ArtifactMismatch, match="cannot be read"):
        flame_landmarks.read(path)
    assert not target.exists()
