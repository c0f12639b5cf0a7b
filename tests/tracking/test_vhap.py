"""A folder as VHAP writes it comes in as the same vertices, goes out again as the same parameters, and back."""

import json

import numpy as np
import pytest
import torch

from emotag.artifacts import Subject, Tracks
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.flame_data import FlameHeadData
from emotag.head.flame_head import FlameHead
from emotag.head.regions import PARTS
from emotag.tracking import vhap, vhap_export
from emotag.tracking.posing import model_points, posed_vertices
from emotag.tracking.vhap_folder import masks_of

FRAMES, WIDTH, HEIGHT, FOCAL = 7, 64, 48, 120.0
V, E, S = 478, 100, 300


@pytest.fixture(scope="module")
def flame():
    """FLAME's form with random arrays: every vertex is a landmark, expression channels are turned components."""
    rng = np.random.default_rng(5)
    weights = rng.random((V, 5)) ** 4
    regressor = rng.random((5, V))
    mixing = np.linalg.qr(rng.normal(size=(E, E)))[0]
    names = [f"upper{i:02d}" for i in range(40)] + [f"lower{i:02d}" for i in range(60)]
    eye = np.zeros((2, V), bool)
    eye[0, 470:474] = eye[1, 474:] = True
    part = np.zeros(V, np.uint8)
    part[eye.any(0)] = PARTS.index("eyeballs")
    faces = np.stack([rng.permutation(V)[:3] for _ in range(90)])
    return FlameHead(
        FlameHeadData(
            name="flame2023", expression_names=names, unit_names=["x"], jaw_limits=[0.4, 0.1],
            neutral=rng.normal(0, 0.06, (V, 3)).astype(np.float32), faces=faces, uv=np.zeros((90, 3, 2), np.float32),
            shape_basis=rng.normal(0, 2e-3, (S, V, 3)).astype(np.float32),
            expression_basis=rng.normal(0, 1e-3, (E, V, 3)).astype(np.float32), mixing=mixing.astype(np.float32),
            pose_basis=rng.normal(0, 1e-4, (36, V, 3)).astype(np.float32),
            joint_regressor=(regressor / regressor.sum(1, keepdims=True)).astype(np.float32),
            skinning=(weights / weights.sum(1, keepdims=True)).astype(np.float32), eyeball=eye,
            face_part=np.zeros(90, np.uint8), vertex_part=part, face_area=np.ones(90, bool),
            landmark_triangles=np.tile(np.arange(V)[:, None], 3), landmark_barycentric=np.tile(np.float32([1, 0, 0]), (V, 1)),
            landmark_spread=np.full(V, 1e-3, np.float32), unit_map=np.zeros((3, E + 2), np.float32),
        )
    )  # fmt: skip


@pytest.fixture
def flame_parameters():
    rng = np.random.default_rng(6)
    sizes = {"expr": E, "rotation": 3, "neck_pose": 3, "jaw_pose": 3, "eyes_pose": 6, "translation": 3}
    values = {key: rng.normal(0, 0.2, (FRAMES, size)).astype(np.float32) for key, size in sizes.items()}
    return values | {"shape": rng.normal(0, 1, S).astype(np.float32), "translation": 0.1 * values["translation"]}


@pytest.fixture
def camera_to_world():
    """Somewhere in front, not level."""
    matrix = np.eye(4)
    matrix[:3, :3] = axis_angle_to_matrix(torch.tensor([0.1, -0.3, 0.05])).numpy()
    matrix[:3, 3] = [-0.25, 0.08, 0.9]
    return matrix


def write(folder, parameters, camera_to_world, **changes):
    """As VHAP's exporter writes it, frames out of order."""
    frames = []
    (folder / "flame_param").mkdir(parents=True)
    for index in reversed(range(FRAMES)):
        name = f"flame_param/{index:05d}.npz"
        row = {key: value[[index]] for key, value in parameters.items() if key != "shape"}
        np.savez(folder / name, **row, shape=parameters["shape"], static_offset=np.zeros((1, V, 3), np.float32))
        intrinsics = {"fl_x": FOCAL, "fl_y": FOCAL, "cx": WIDTH / 2, "cy": HEIGHT / 2, "w": WIDTH, "h": HEIGHT}
        frames.append(
            {"timestep_index": index, "camera_index": 0, "transform_matrix": camera_to_world.tolist(), "flame_param_path": name}
            | intrinsics | changes
        )  # fmt: skip
    (folder / "transforms.json").write_text(json.dumps({"frames": frames}))
    return folder / "transforms.json"


def imported(flame, export, offsets=None):
    found = vhap.in_camera(flame, export)
    return Tracks(
        head_model=flame.name, expression_names=list(flame.expression_names), camera=export.camera.as_dict(),
        landmark_error=np.zeros((FRAMES, 478), np.float32), interpolated=np.zeros(FRAMES, bool), **found,
    )  # fmt: skip


def test_import_gives_vhaps_vertices(tmp_path, flame, flame_parameters, camera_to_world):
    export = vhap.read(write(tmp_path, flame_parameters, camera_to_world))
    posed = posed_vertices(flame, imported(flame, export), slice(None))
    p = {key: torch.from_numpy(value) for key, value in flame_parameters.items()}
    # The vertices in the world, by FLAME's own convention and its own components.
    channels = p["expr"] @ flame.mixing.T
    world = flame.mesh.vertices(
        p["shape"][None], channels, p["jaw_pose"], p["neck_pose"], p["eyes_pose"], p["rotation"], p["translation"]
    )
    to_camera = torch.from_numpy(np.linalg.inv(camera_to_world)).float()
    assert torch.allclose(posed, world @ to_camera[:3, :3].T + to_camera[:3, 3], atol=5e-6)
    assert export.camera == Camera(FOCAL, FOCAL, WIDTH / 2, HEIGHT / 2, WIDTH, HEIGHT) and export.static_offset_m == 0


def test_export_and_import_are_inverse(tmp_path, flame, flame_parameters, camera_to_world):
    tracks = imported(flame, vhap.read(write(tmp_path / "in", flame_parameters, camera_to_world)))
    pictures = np.random.default_rng(0).integers(0, 256, (FRAMES, HEIGHT, WIDTH, 3)).astype(np.uint8)
    alpha = np.full((FRAMES, HEIGHT, WIDTH), 255, np.uint8)
    alpha[:, :10] = 0
    vhap_export.write(tmp_path / "out", flame, tracks, zip(pictures, alpha, strict=True), training=5)
    again = imported(flame, vhap.read(tmp_path / "out" / "transforms.json"))
    for name in ("shape", "expression", "jaw", "neck", "eyes"):
        np.testing.assert_allclose(getattr(again, name), getattr(tracks, name), atol=2e-6, err_msg=name)
    points = [model_points(flame, t, np.zeros((478, 3), np.float32)) for t in (tracks, again)]
    np.testing.assert_allclose(points[1], points[0], atol=2e-3)
    assert again.camera == tracks.camera


def test_the_folder_is_what_gaussian_avatars_reads(tmp_path, flame, flame_parameters, camera_to_world):
    """Its reader wants per frame and division: c2w, camera_angle_x, sizes, time, file and parameters of these shapes."""
    from PIL import Image

    tracks = imported(flame, vhap.read(write(tmp_path / "in", flame_parameters, camera_to_world)))
    pictures = np.full((FRAMES, HEIGHT, WIDTH, 3), 40, np.uint8)
    alpha = np.zeros((FRAMES, HEIGHT, WIDTH), np.uint8)
    alpha[:, 20:] = 255
    out = tmp_path / "out"
    vhap_export.write(out, flame, tracks, zip(pictures, alpha, strict=True), training=5)
    divisions = {name: json.loads((out / f"transforms_{name}.json").read_text()) for name in ("train", "val", "test")}
    assert [len(divisions[name]["frames"]) for name in ("train", "val", "test")] == [5, 0, 2]
    for frame in divisions["train"]["frames"]:
        row = np.load(out / frame["flame_param_path"], allow_pickle=False)
        assert row["shape"].shape == (300,) and row["expr"].shape == (1, 100) and row["eyes_pose"].shape == (1, 6)
        assert row["static_offset"].shape == (1, V, 3) and row["translation"].dtype == np.float32
        assert frame["camera_angle_x"] == pytest.approx(2 * np.arctan(WIDTH / 2 / FOCAL))
        picture = np.asarray(Image.open(out / frame["file_path"]))
        assert (picture[:20] == 255).all() and (picture[20:] == 40).all()
        assert (np.asarray(Image.open(out / frame["fg_mask_path"])) == alpha[0]).all()
    canonical = np.load(out / "canonical_flame_param.npz")
    assert canonical["jaw_pose"].tolist() == [[pytest.approx(0.3), 0, 0]] and not canonical["expr"].any()
    centre = np.mean([np.load(file)["translation"][0] for file in sorted((out / "flame_param").iterdir())], axis=0)
    np.testing.assert_allclose(centre, 0, atol=1e-6)


def test_fewer_components_are_padded_and_more_are_dropped(tmp_path, flame, flame_parameters, camera_to_world):
    short = flame_parameters | {"expr": flame_parameters["expr"][:, :50], "shape": flame_parameters["shape"][:200]}
    found = vhap.in_camera(flame, vhap.read(write(tmp_path, short, camera_to_world)))
    own = found["expression"] @ flame.mixing.numpy()
    np.testing.assert_allclose(own[:, :50], short["expr"], atol=1e-5)
    np.testing.assert_allclose(own[:, 50:], 0, atol=1e-5)
    assert found["shape"].shape == (300,) and not found["shape"][200:].any()


def test_subject_and_tracks_of_an_export(tmp_path, flame, flame_parameters, camera_to_world):
    """Detections that lie where the tracked landmarks do, but for one that is always 2 mm aside, give that offset back."""
    export = vhap.read(
        write(tmp_path, flame_parameters | {"neck_pose": 0 * flame_parameters["neck_pose"]}, camera_to_world)
    )
    tracks = imported(flame, export)
    aside = np.zeros((478, 3), np.float32)
    aside[100] = [0.002, 0.0, 0.0]
    points = np.concatenate([model_points(flame, tracks, aside), np.zeros((FRAMES, 478, 1))], 2)
    valid = np.ones(FRAMES, bool)
    fit, neck = vhap.shape_fit(flame, export, points, (2 * WIDTH, 2 * HEIGHT), slice(0, FRAMES), valid)
    assert fit.camera.width == 2 * WIDTH and fit.camera.fx == 2 * FOCAL and not neck.any()
    fit, _ = vhap.shape_fit(flame, export, points, (WIDTH, HEIGHT), slice(0, FRAMES), valid)
    assert np.linalg.norm(fit.offsets[100]) == pytest.approx(0.8 * 0.002, rel=0.35)
    assert np.abs(np.delete(fit.offsets, 100, 0)).max() < 2e-4
    np.testing.assert_allclose(fit.neutral[:E], np.median(tracks.expression, axis=0), atol=1e-6)
    subject = Subject(
        head_model=flame.name, expression_names=list(flame.expression_names), shape=fit.shape, camera=fit.camera.as_dict(),
        landmark_offsets=aside, neutral_expression=fit.neutral[:E], neutral_jaw=fit.neutral[E : E + 3],
        vertex_colours=np.zeros((V, 3), np.float32), clip="x", part=[0, FRAMES],
    )  # fmt: skip
    found = vhap.tracks_of(flame, export, subject, points, ~valid)
    assert found.landmark_error.max() < 1e-2
    with pytest.raises(ArtifactMismatch, match="8 as in the clip"):
        vhap.tracks_of(flame, export, subject, np.concatenate([points, points[:1]]), np.zeros(8, bool))
    other = Subject(**{**subject.__dict__, "shape": subject.shape + 1})
    with pytest.raises(ArtifactMismatch, match="another shape"):
        vhap.tracks_of(flame, export, other, points, ~valid)


def test_what_is_not_vhaps_is_refused(tmp_path, flame_parameters, camera_to_world):
    with pytest.raises(AssetMissing, match="crop.mp4"):
        vhap.read(tmp_path / "transforms.json")
    path = write(tmp_path / "a", flame_parameters, camera_to_world)
    content = json.loads(path.read_text())
    for change, match in (
        ({"frames": content["frames"][:-1]}, "each time once"),
        ({"frames": [f | {"camera_index": f["timestep_index"] % 2} for f in content["frames"]]}, "expected one"),
        ({"frames": [f | {"fl_x": FOCAL + f["timestep_index"]} for f in content["frames"]]}, "sets of"),
        (
            {"frames": [{k: v for k, v in f.items() if k != "flame_param_path"} for f in content["frames"]]},
            "not as VHAP",
        ),
        ({"frames": []}, "not as VHAP"),
    ):
        path.write_text(json.dumps(content | change))
        with pytest.raises(ArtifactMismatch, match=match):
            vhap.read(path)
    path.write_text(json.dumps(content))
    np.savez(tmp_path / "a" / "flame_param" / "00003.npz", shape=np.zeros(3), expr=np.zeros(3))
    with pytest.raises(ArtifactMismatch, match="rotation"):
        vhap.read(path)
    np.savez(tmp_path / "a" / "flame_param" / "00003.npz", shape=np.array([print], object))
    with pytest.raises(ArtifactMismatch, match="cannot be read"):
        vhap.read(path)


def test_only_tracks_of_this_head_are_exported(tmp_path, flame, flame_parameters, camera_to_world):
    tracks = imported(flame, vhap.read(write(tmp_path, flame_parameters, camera_to_world)))
    with pytest.raises(ArtifactMismatch, match="makehuman"):
        vhap_export.flame_parameters(flame, Tracks(**{**tracks.__dict__, "head_model": "makehuman"}))


def test_masks_come_at_the_clips_size(tmp_path, flame_parameters, camera_to_world):
    from PIL import Image

    path = write(tmp_path, flame_parameters, camera_to_world, fg_mask_path="fg_masks/one.png")
    with pytest.raises(AssetMissing, match="matte.provider"):
        next(masks_of(path, (WIDTH, HEIGHT)))
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    mask[:, WIDTH // 2 :] = 255
    (tmp_path / "fg_masks").mkdir()
    Image.fromarray(np.repeat(mask[..., None], 3, 2)).save(tmp_path / "fg_masks" / "one.png")
    assert all((found == mask).all() for found in masks_of(path, (WIDTH, HEIGHT)))
    half = list(masks_of(path, (WIDTH // 2, HEIGHT // 2)))
    assert len(half) == FRAMES and (half[0] == mask[::2, ::2]).all()
    (tmp_path / "fg_masks" / "one.png").write_bytes(b"no picture")
    with pytest.raises(ArtifactMismatch, match="cannot be read"):
        next(masks_of(path, (WIDTH, HEIGHT)))
    write(tmp_path / "b", flame_parameters, camera_to_world, fg_mask_path="../one.png")
    with pytest.raises(ArtifactMismatch, match="leaves the folder"):
        next(masks_of(tmp_path / "b" / "transforms.json", (WIDTH, HEIGHT)))
