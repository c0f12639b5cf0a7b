"""ICT-FaceKit's files written in its format with a small topology, and what becomes of them."""

import dataclasses
import zipfile

import numpy as np
import pytest

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head import ict_source
from emotag.head.ict_build import arkit_units, fitted_sphere, triangles
from emotag.head.landmark_sets import IBUG_INNER_51
from emotag.head.regions import PARTS


def write(folder, arrays):
    """Wavefront files in centimetres, as the repository has them."""
    model = folder / "FaceXModel"
    model.mkdir(parents=True)

    def save(name, vertices, rest=()):
        rows = ["mtllib ICTFaceModelMaterial.mtl", *(f"v {x:.9f} {y:.9f} {z:.9f}" for x, y, z in 100 * vertices), *rest]
        (model / f"{name}.obj").write_text("\n".join(rows) + "\n")

    texture = [f"vt {u:.6f} {v:.6f}" for u, v in arrays.uv.reshape(-1, 2)]
    corners = np.arange(arrays.uv[..., 0].size).reshape(-1, 4) + 1
    faces = []
    for vertices, numbers in zip(arrays.polygons, corners, strict=True):
        faces.append("f " + " ".join(f"{v + 1}/{t}" for v, t in zip(vertices, numbers, strict=True) if v >= 0))
    save("generic_neutral_mesh", arrays.neutral, texture + faces)
    for i, shape in enumerate(arrays.identity):
        save(f"identity{i:03d}", arrays.neutral + shape)
    for name, shape in arrays.expression.items():
        save(name, arrays.neutral + shape)
    return model


@pytest.fixture
def few(ict_source_arrays):
    """The face alone with a few shapes, so that files are quickly written."""
    arrays = ict_source_arrays
    uv = np.random.default_rng(0).random(arrays.uv.shape).astype(np.float32).round(6)
    layout = dataclasses.replace(arrays.layout, identities=2)
    polygons = arrays.polygons.copy()
    polygons[5, 3] = -1  # a triangle among them
    units = {name: arrays.expression[name] for name in (*ict_source.NEEDED, "browInnerUp_L")}
    return dataclasses.replace(
        arrays, layout=layout, identity=arrays.identity[:2], expression=units, uv=uv, polygons=polygons
    )


def test_files_come_back(tmp_path, few):
    write(tmp_path, few)
    read = ict_source.read(tmp_path, few.layout)
    np.testing.assert_allclose(read.neutral, few.neutral, atol=1e-9)
    np.testing.assert_allclose(read.identity, few.identity, atol=1e-9)
    np.testing.assert_array_equal(read.polygons, few.polygons)
    there = few.polygons >= 0
    np.testing.assert_allclose(read.uv[there], few.uv[there], atol=1e-6)
    quads = sum(stop - start for start, stop in few.layout.parts.values())
    assert len(triangles(read).faces) == 2 * quads - 1 and triangles(read).faces.min() >= 0
    assert read.expression.keys() == few.expression.keys()
    np.testing.assert_allclose(read.expression["jawOpen"], few.expression["jawOpen"], atol=1e-9)


def test_the_archive_of_the_repository_gives_the_same(tmp_path, few):
    write(tmp_path / "clone", few)
    folder = ict_source.read(tmp_path / "clone", few.layout)
    path = tmp_path / "ICT-FaceKit.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("ICT-FaceKit-01f6c97/README.md", "ICT Face Model Light")
        for file in sorted((tmp_path / "clone" / "FaceXModel").iterdir()):
            archive.write(file, f"ICT-FaceKit-01f6c97/FaceXModel/{file.name}")
    read = ict_source.read(path, few.layout)
    for name in ("neutral", "polygons", "uv", "identity"):
        np.testing.assert_array_equal(getattr(read, name), getattr(folder, name))
    assert all((read.expression[name] == folder.expression[name]).all() for name in folder.expression)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("other/README.md", "another repository")
    with pytest.raises(AssetMissing, match="no FaceXModel/generic_neutral_mesh.obj in it"):
        ict_source.read(path)
    path.write_bytes(b"no archive")
    with pytest.raises(ArtifactMismatch, match="cannot be read"):
        ict_source.read(path)


def test_other_files_are_refused(tmp_path, few):
    model = write(tmp_path, few)
    with pytest.raises(ArtifactMismatch, match="vertices, expected 26719"):
        ict_source.read(tmp_path)
    (model / "identity001.obj").write_text("v 0 0 x\n")
    with pytest.raises(ArtifactMismatch, match="cannot be read"):
        ict_source.read(tmp_path, few.layout)
    (model / "jawOpen.obj").unlink()
    with pytest.raises(AssetMissing, match="jawOpen"):
        ict_source.read(tmp_path, few.layout)
    with pytest.raises(AssetMissing, match="emotag accept ICT-FaceKit.zip"):
        ict_source.read(tmp_path / "nowhere")


def test_the_published_layout_is_whole():
    layout = ict_source.LIGHT
    assert len(layout.inner_51) == len(set(layout.inner_51)) == len(IBUG_INNER_51) == 51
    assert all(0 <= start < stop <= layout.polygons for start, stop in layout.parts.values())


def test_units_go_by_arkits_names(ict_data, head):
    one = np.ones(3)
    units = arkit_units({"browInnerUp_L": one, "browInnerUp_R": 2 * one, "PupilDilate_L": one, "jawOpen": one})
    assert set(units) == {"browInnerUp", "jawOpen"} and (units["browInnerUp"] == 3).all()
    assert set(ict_data.expression_names) == set(head.expression_names) - {"tongueOut"}
    assert set(ict_data.lid_names) == set(head.data.lid_names)


def test_same_surface_same_units(ict_data, head):
    """Made of the MakeHuman head, it has the MakeHuman head's volume, jaw angles and parts."""
    assert ict_data.jaw_limits == pytest.approx(head.jaw_limits, rel=0.1)
    np.testing.assert_allclose(np.ptp(ict_data.neutral, 0), np.ptp(head.data.neutral, 0), rtol=1e-5)
    for name in ("teeth", "lashes", "eyeballs"):
        assert (ict_data.face_part == PARTS.index(name)).any()
    own = head.data.root_share
    assert abs((ict_data.root_share < 0.5).mean() - (own < 0.5).mean()) < 0.03


def test_sphere_through_a_cap():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(200, 3))
    points = points[points[:, 2] > 0]
    points = 0.012 * points / np.linalg.norm(points, axis=1, keepdims=True) + [0.03, 0.02, 0.07]
    centre, radius = fitted_sphere(points)
    assert np.allclose(centre, [0.03, 0.02, 0.07], atol=1e-9) and radius == pytest.approx(0.012)
