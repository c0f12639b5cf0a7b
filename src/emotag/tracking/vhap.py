"""Tracks of VHAP (Qian 2024, github.com/ShenhanQian/VHAP), from the folder that its `export_as_nerf_dataset.py` writes.

The folder's conventions, which GaussianAvatars (Qian et al. 2024, `scene/dataset_readers.py`) reads: `transforms.json` with
`frames`, each with `timestep_index`, `camera_index`, `transform_matrix` (camera to world, 4 x 4, the camera looks down -z with
y up), `fl_x`, `fl_y`, `cx`, `cy`, `w`, `h` in px, `file_path`, `fg_mask_path` and `flame_param_path`. The last is an npz:

| key | shape | |
| --- | --- | --- |
| shape | 300 | identity components |
| expr | 1, 100 | expression components |
| rotation, neck_pose, jaw_pose | 1, 3 | axis-angle, rad; rotation is that of the root joint, about it |
| eyes_pose | 1, 6 | left, then right |
| translation | 1, 3 | m; FLAME is put at the mean translation, and the camera moved instead |
| static_offset | 1, V, 3 | displacement of the template, optional |
"""

import json
import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emotag.artifacts import Subject, Tracks
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.flame_head import FlameHead
from emotag.tracking.fit import ShapeFit, neutral_of, observe
from emotag.tracking.initial_pose import matrix_to_axis_angle
from emotag.tracking.landmark_offsets import head_frame_residual, moderate
from emotag.tracking.point_weights import point_weights
from emotag.tracking.posing import model_points
from emotag.tracking.reprojection import POSE

log = logging.getLogger(__name__)
TRANSFORMS = "transforms.json"
POSES = {"rotation": 3, "neck_pose": 3, "jaw_pose": 3, "eyes_pose": 6, "translation": 3}
INTRINSICS = ("fl_x", "fl_y", "cx", "cy", "w", "h")
# An offset of the template larger than this in the mean is said, because it is left out.
OFFSET_M = 1e-4
SAME_SHAPE = 1e-4


@dataclass(frozen=True)
class Export:
    """`flame` {key: [T, …]} with `shape` [S]; `to_camera` [T, 4, 4], world to camera; `camera`; mean `static_offset_m`."""

    flame: dict[str, np.ndarray]
    to_camera: np.ndarray
    camera: Camera
    static_offset_m: float


def read(transforms: Path) -> Export:
    """All frames of an export of one camera, by their time.

    Raises:
        AssetMissing, ArtifactMismatch: a file is not there or not as VHAP writes it, times are missing, or there are several
            cameras.
    """
    content = _transforms(transforms)
    frames = sorted(content["frames"], key=lambda frame: frame["timestep_index"])
    times, cameras = [f["timestep_index"] for f in frames], {f.get("camera_index", 0) for f in frames}
    if len(cameras) > 1:
        raise ArtifactMismatch(
            f"{transforms}: found cameras {sorted(cameras)}, expected one; export a monocular tracking"
        )
    if times != list(range(len(times))):
        raise ArtifactMismatch(
            f"{transforms}: found {len(times)} frames up to {times[-1]}, expected each time once from 0"
        )
    folder = Path(transforms).parent
    rows = [_parameters(folder / frame["flame_param_path"]) for frame in frames]
    flame = {key: np.concatenate([row[key].reshape(1, -1) for row in rows]) for key in (*POSES, "expr")}
    offset = (
        float(np.linalg.norm(rows[0]["static_offset"].reshape(-1, 3), axis=1).mean())
        if "static_offset" in rows[0]
        else 0.0
    )
    intrinsics = {tuple(float(frame.get(key, content.get(key, 0))) for key in INTRINSICS) for frame in frames}
    if len(intrinsics) > 1 or not all(next(iter(intrinsics))[:2]):
        raise ArtifactMismatch(
            f"{transforms}: found {len(intrinsics)} sets of {', '.join(INTRINSICS)}, expected one in px"
        )
    fx, fy, cx, cy, width, height = next(iter(intrinsics))
    matrices = np.linalg.inv(np.array([frame["transform_matrix"] for frame in frames], np.float64))
    camera = Camera(fx, fy, cx, cy, int(width), int(height))
    return Export(flame | {"shape": rows[0]["shape"].reshape(-1)}, matrices, camera, offset)


def _transforms(path: Path) -> dict[str, Any]:
    if not Path(path).is_file():
        raise AssetMissing(
            f"{path} does not exist; track the clip's crop.mp4 with VHAP and export it there (docs/providers.md)"
        )
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        for frame in content["frames"]:
            if np.shape(frame["transform_matrix"]) != (4, 4) or not isinstance(frame["flame_param_path"], str):
                raise KeyError("transform_matrix of 4 x 4 and flame_param_path")
            frame["timestep_index"] = int(frame["timestep_index"])
        if not content["frames"]:
            raise KeyError("frames")
    except (ValueError, KeyError, TypeError) as error:
        raise ArtifactMismatch(
            f"{path}: not as VHAP exports it ({error}); export with its parameters, not as meshes"
        ) from error
    return content


def _parameters(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise AssetMissing(f"{path} does not exist; export the tracking again")
    try:
        with np.load(path, allow_pickle=False) as content:
            found = {key: np.asarray(content[key], np.float64) for key in content.files}
    except (OSError, ValueError) as error:
        raise ArtifactMismatch(f"{path}: cannot be read ({error}); export the tracking again") from error
    wrong = [key for key, size in POSES.items() if key not in found or found[key].size != size]
    if wrong or not {"shape", "expr"} <= found.keys():
        raise ArtifactMismatch(f"{path}: no {', '.join(wrong) or 'shape, expr'} of FLAME; export the tracking again")
    return found


def in_camera(head: FlameHead, export: Export) -> dict[str, np.ndarray]:
    """`shape` [S] and the arrays of `Tracks` by their names: in the camera's frame, turned about the origin, in channels.

    Components beyond those of the head are dropped (EmoTaG keeps 50 of 100 expression components too).
    """
    if export.static_offset_m > OFFSET_M:
        millimetres = 1000 * export.static_offset_m
        log.warning("static offsets of %.2f mm in the mean are left out; track without them", millimetres)
    values = {key: torch.from_numpy(value).float() for key, value in export.flame.items()}
    shape = _sized(values["shape"][None], head.shape_size)
    expression = _sized(values["expr"], len(head.expression_names)) @ head.mixing.T
    world = torch.from_numpy(export.to_camera).float()
    turn, shift = world[:, :3, :3], world[:, :3, 3]
    own = axis_angle_to_matrix(values["rotation"])
    place = values["translation"] + head.root_translation(shape, expression, values["rotation"])
    return {
        "shape": shape[0].numpy(),
        "expression": expression.numpy(),
        "jaw": values["jaw_pose"].numpy(),
        "neck": values["neck_pose"].numpy(),
        "eyes": values["eyes_pose"].numpy(),
        "rotation": matrix_to_axis_angle((turn @ own).double().numpy()).astype(np.float32),
        "translation": ((turn @ place[..., None])[..., 0] + shift).numpy(),
    }


def _sized(values: torch.Tensor, size: int) -> torch.Tensor:
    """The first `size` columns, zero where there are fewer."""
    return torch.nn.functional.pad(values[:, :size], (0, max(0, size - values.shape[1])))


def shape_fit(
    head: FlameHead, export: Export, points: np.ndarray, size: tuple[int, int], part: slice, valid: np.ndarray
) -> tuple[ShapeFit, np.ndarray]:
    """What the shape stage fits, as VHAP has it, and the neck [T, 3] of the frames `part`.

    Camera of pictures of `size` (width, height); landmark offsets are the median residual of the detected `points`
    [T, 478, 3] px of those frames in the head's frame; `valid` [T] are those with a face.
    """
    found = in_camera(head, export)
    camera = export.camera.resized(*size)
    arrays = [torch.from_numpy(found[key][part]) for key in ("expression", "jaw", "neck", "eyes")]
    still = torch.zeros(len(points), 3)
    with torch.no_grad():
        vertices = head.vertices(torch.from_numpy(found["shape"])[None], *arrays, still, still)
        local = head.landmarks(vertices)
    state = np.concatenate([found[key][part] for key in ("rotation", "translation", "expression", "jaw", "eyes")], 1)
    observations = observe(points, valid, camera, point_weights(head))
    residual = head_frame_residual(local, torch.from_numpy(state).float(), observations)[torch.from_numpy(valid)]
    offsets = moderate(residual.median(0).values.double().numpy())
    neutral = neutral_of(head, state[valid][:, POSE:])
    return ShapeFit(found["shape"], camera, offsets, state.astype(np.float64), neutral), found["neck"][part]


def tracks_of(
    head: FlameHead, export: Export, subject: Subject, points: np.ndarray, interpolated: np.ndarray
) -> Tracks:
    """The clip's tracks as VHAP has them, with the errors of the detected `points` [T, 478, 3] px.

    Raises:
        ArtifactMismatch: the export has not as many frames as the clip, or another person's shape.
    """
    if len(export.to_camera) != len(points):
        raise ArtifactMismatch(
            f"VHAP's export: found {len(export.to_camera)} frames, expected {len(points)} as in the clip; track its crop.mp4"
        )
    found = in_camera(head, export)
    if not np.allclose(found["shape"], subject.shape, atol=SAME_SHAPE):
        raise ArtifactMismatch(
            "VHAP's export: found another shape than in the clip that was adapted on; track all clips of an identity with one "
            "shape (VHAP does so for the sequences it is given together)"
        )
    units = dict(head_model=head.name, expression_names=list(head.expression_names), camera=dict(subject.camera))
    bare = Tracks(
        **units, **found, landmark_error=np.zeros(points.shape[:2], np.float32), interpolated=interpolated.astype(bool)
    )
    error = np.linalg.norm(model_points(head, bare, subject.landmark_offsets) - points[..., :2], axis=-1)
    return replace(bare, landmark_error=error.astype(np.float32))
