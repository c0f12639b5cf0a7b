"""Tracks with a FLAME head written as VHAP exports them, for GaussianAvatars and its kin (see `emotag.tracking.vhap`).

As VHAP does it: the head is put at the mean translation, the camera moved instead; pictures stand on white with the alpha
beside them; the first part is for training, the last for testing, and nothing for validation where there is one camera.
"""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emotag.artifacts import Tracks
from emotag.errors import ArtifactMismatch
from emotag.head.flame_head import FlameHead
from emotag.io.artifact import write_atomic, write_json
from emotag.io.npz import npz_bytes
from emotag.io.sheets import write_png

SHAPE, EXPRESSION = 300, 100
CANONICAL_JAW = 0.3  # rad: VHAP's canonical face has its mouth open


def flame_parameters(head: FlameHead, tracks: Tracks) -> dict[str, np.ndarray]:
    """FLAME's own parameters of all frames [T, …] by VHAP's names, the head's poses in the camera's frame.

    Raises:
        ArtifactMismatch: the tracks are of another head model.
    """
    if (tracks.head_model, tuple(tracks.expression_names)) != (head.name, head.expression_names):
        raise ArtifactMismatch(
            f"tracks of head model {tracks.head_model!r} with {len(tracks.expression_names)} units, expected {head.name!r} "
            f"with {len(head.expression_names)}; track again with this head model"
        )
    shape = torch.from_numpy(tracks.shape)[None]
    channels, rotation = torch.from_numpy(tracks.expression), torch.from_numpy(tracks.rotation)
    place = torch.from_numpy(tracks.translation) - head.root_translation(shape, channels, rotation)
    own = (channels @ head.mixing).numpy()
    return {
        "shape": np.pad(tracks.shape, (0, SHAPE - len(tracks.shape))).astype(np.float32),
        "expr": np.pad(own, ((0, 0), (0, EXPRESSION - own.shape[1]))).astype(np.float32),
        "rotation": tracks.rotation,
        "neck_pose": tracks.neck,
        "jaw_pose": tracks.jaw,
        "eyes_pose": tracks.eyes,
        "translation": place.numpy(),
    }


def write(
    folder: Path, head: FlameHead, tracks: Tracks, footage: Iterable[tuple[np.ndarray, np.ndarray]], training: int
) -> None:
    """Write the folder; `footage` gives (picture [H, W, 3], alpha [H, W] uint8) of every frame, of which the first `training`
    are for training."""
    parameters = flame_parameters(head, tracks)
    centre = parameters["translation"].mean(0)
    parameters["translation"] = parameters["translation"] - centre
    static = {"static_offset": np.zeros((1, head.vertex_count, 3), np.float32), "shape": parameters.pop("shape")}
    frames = []
    for index, (picture, alpha) in enumerate(footage):
        frames.append(_frame(index, tracks.camera, centre))
        soft = alpha[..., None] / 255
        write_png(folder / frames[-1]["file_path"], np.rint(picture * soft + 255 * (1 - soft)).astype(np.uint8))
        write_png(folder / frames[-1]["fg_mask_path"], alpha)
        row = {key: value[index : index + 1] for key, value in parameters.items()}
        write_atomic(folder / frames[-1]["flame_param_path"], npz_bytes(row | static))
    still = {key: np.zeros_like(value[:1]) for key, value in parameters.items()}
    still["jaw_pose"][0, 0] = CANONICAL_JAW
    write_atomic(folder / "canonical_flame_param.npz", npz_bytes(still | static))
    divisions = {"": frames, "_train": frames[:training], "_val": [], "_test": frames[training:]}
    for name, chosen in divisions.items():
        times = [frame["timestep_index"] for frame in chosen]
        head_of_file = _intrinsics(tracks.camera) | {"timestep_indices": times, "camera_indices": [0] if chosen else []}
        write_json(folder / f"transforms{name}.json", head_of_file | {"frames": chosen})


def _intrinsics(camera: dict[str, float]) -> dict[str, Any]:
    return {
        "fl_x": camera["fx"], "fl_y": camera["fy"], "cx": camera["cx"], "cy": camera["cy"],
        "w": int(camera["width"]), "h": int(camera["height"]),
        "camera_angle_x": 2 * math.atan(camera["width"] / (2 * camera["fx"])),
        "camera_angle_y": 2 * math.atan(camera["height"] / (2 * camera["fy"])),
    }  # fmt: skip


def _frame(index: int, camera: dict[str, float], centre: np.ndarray) -> dict[str, Any]:
    to_world = np.eye(4)
    to_world[:3, 3] = -centre
    return _intrinsics(camera) | {
        "timestep_index": index,
        "timestep_index_original": index,
        "timestep_id": f"{index:05d}",
        "camera_index": 0,
        "camera_id": "0",
        "transform_matrix": to_world.tolist(),
        "file_path": f"images/{index:05d}_00.png",
        "fg_mask_path": f"fg_masks/{index:05d}_00.png",
        "flame_param_path": f"flame_param/{index:05d}.npz",
    }
