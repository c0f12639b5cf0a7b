"""The file of FLAME as a head model (`emotag.head.flame_build` makes it of the official arrays)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from emotag.io.artifact import Artifact


@dataclass(frozen=True)
class FlameHeadData(Artifact):
    """FLAME with teeth, names and landmarks, m and rad; `name` is the model's (flame2023open, …).

    `neutral` [V, 3], `faces` [F, 3], `uv` [F, 3, 2]; `shape_basis` [S, V, 3]; `expression_basis` [E, V, 3] of the channels
    `expression_names`; `mixing` [E, E] orthogonal: FLAME's own coefficients = channels @ mixing. `pose_basis` [36, V, 3],
    `joint_regressor` [5, V], `skinning` [V, 5] as in `emotag.head.flame_source`; `eyeball` [2, V] bool (left, right);
    `face_part` [F], `vertex_part` [V] index into `emotag.head.regions.PARTS`; `face_area` [F] bool. `landmark_*`: the
    embedding. `unit_map` [U + 2, E + 2]: channels, jaw pitch and yaw to the ARKit units `unit_names` and the MakeHuman head's
    jaw angles, whose `jaw_limits` these are.
    """

    KIND: ClassVar[str] = "flame_head"
    SHAPES: ClassVar[dict] = {
        "neutral": ("V", 3), "faces": ("F", 3), "uv": ("F", 3, 2), "shape_basis": ("S", "V", 3),
        "expression_basis": ("E", "V", 3), "mixing": ("E", "E"), "pose_basis": (36, "V", 3), "joint_regressor": (5, "V"),
        "skinning": ("V", 5), "eyeball": (2, "V"), "face_part": ("F",), "vertex_part": ("V",), "face_area": ("F",),
        "landmark_triangles": (478, 3), "landmark_barycentric": (478, 3), "landmark_spread": (478,),
    }  # fmt: skip
    name: str
    expression_names: list[str]
    unit_names: list[str]
    jaw_limits: list[float]
    neutral: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    shape_basis: np.ndarray
    expression_basis: np.ndarray
    mixing: np.ndarray
    pose_basis: np.ndarray
    joint_regressor: np.ndarray
    skinning: np.ndarray
    eyeball: np.ndarray
    face_part: np.ndarray
    vertex_part: np.ndarray
    face_area: np.ndarray
    landmark_triangles: np.ndarray
    landmark_barycentric: np.ndarray
    landmark_spread: np.ndarray
    unit_map: np.ndarray
