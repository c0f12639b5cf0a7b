"""Tracks of VHAP (Qian 2024), from the folder of `emotag.tracking.vhap_folder`.

A frame's `flame_param_path` is an npz:

| key | shape | |
| --- | --- | --- |
| shape | 300 | identity components |
| expr | 1, 100 | expression components |
| rotation, neck_pose, jaw_pose | 1, 3 | axis-angle, rad; rotation is that of the root joint, about it |
| eyes_pose | 1, 6 | left, then right |
| translation | 1, 3 | m; FLAME is put at the mean translation, and the camera moved instead |
| static_offset | 1, V, 3 | displacement of the template, optional |
"""

import logging
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from emotag.artifacts import Subject, Tracks
from emotag.errors import ArtifactMismatch
from emotag.geometry.camera import Camera
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.head.flame_head import FlameHead
from emotag.io.npz import read_npz
from emotag.tracking.fit import ShapeFit, neutral_of, observe
from emotag.tracking.initial_pose import matrix_to_axis_angle
from emotag.tracking.landmark_offsets import head_frame_residual, moderate
from emotag.tracking.point_weights import point_weights
from emotag.tracking.posing import model_points
from emotag.tracking.reprojection import POSE
from emotag.tracking.vhap_folder import INTRINSICS, frames_of

log = logging.getLogger(__name__)
POSES = {"rotation": 3, "neck_pose": 3, "jaw_pose": 3, "eyes_pose": 6, "translation": 3}
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
    frames, folder = frames_of(transforms), Path(transforms).parent
    rows = [_parameters(folder / frame["flame_param_path"]) for frame in frames]
    flame = {key: np.concatenate([row[key].reshape(1, -1) for row in rows]) for key in (*POSES, "expr")}
    static = rows[0].get("static_offset", np.zeros(3)).reshape(-1, 3)
    intrinsics = {tuple(float(frame[key]) for key in INTRINSICS) for frame in frames}
    if len(intrinsics) > 1 or min(next(iter(intrinsics))) <= 0:
        raise ArtifactMismatch(
            f"{transforms}: found {len(intrinsics)} sets of {', '.join(INTRINSICS)}, expected one in px"
        )
    fx, fy, cx, cy, width, height = next(iter(intrinsics))
    try:
        matrices = np.linalg.inv(np.array([frame["transform_matrix"] for frame in frames], np.float64))
    except np.linalg.LinAlgError as error:
        raise ArtifactMismatch(f"{transforms}: a transform_matrix has no inverse; export the tracking again") from error
    camera = Camera(fx, fy, cx, cy, int(width), int(height))
    offset = float(np.linalg.norm(static, axis=1).mean())
    return Export(flame | {"shape": rows[0]["shape"].reshape(-1)}, matrices, camera, offset)


def _parameters(path: Path) -> dict[str, np.ndarray]:
    found = read_npz(path)
    wrong = [key for key, size in POSES.items() if key not in found or found[key].size != size]
    if wrong or not {"shape", "expr"} <= found.keys():
        raise ArtifactMismatch(f"{path}: no {', '.join(wrong) or 'shape, expr'} of FLAME; export the tracking again")
    return {key: np.asarray(value, np.float64) for key, value in found.items()}


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
