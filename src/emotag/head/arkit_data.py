"""The file of a head model with ARKit-named units (the MakeHuman head, ICT-FaceKit)."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from emotag.io.artifact import Artifact


@dataclass(frozen=True)
class ArkitData(Artifact):
    """All of the head model, m and rad, in the head's frame (origin midway between the ears, face towards +z, y up).

    `neutral` [V, 3] mean person; `faces` [F, 3]; `uv` [F, 3, 2]; `shape_basis` [S, V, 3] m per unit-variance
    coefficient; `expression_basis` [E, V, 3] m at 1; `jaw_basis` [2, V, 3] m/rad (pitch, yaw) and `jaw_limits` rad at
    the ARKit unit's 1; `lid_basis` [8, V, 3] m/rad, what the skin does when an eye turns as in `lid_names` (eyeLook
    units without the eyeball); `eyeball` [2, V] bool (left, right); `root_share` [V] share of the head's rotation;
    `face_part` [F] and `vertex_part` [V] index into `emotag.head.regions.PARTS`; `face_area` [F] bool, the
    front of the head.
    """

    KIND: ClassVar[str] = "head_model"
    name: str
    expression_names: list[str]
    lid_names: list[str]
    jaw_limits: list[float]
    neutral: np.ndarray
    faces: np.ndarray
    uv: np.ndarray
    shape_basis: np.ndarray
    expression_basis: np.ndarray
    jaw_basis: np.ndarray
    lid_basis: np.ndarray
    eyeball: np.ndarray
    root_share: np.ndarray
    face_part: np.ndarray
    vertex_part: np.ndarray
    face_area: np.ndarray


def cut_vertices(data: ArkitData, kept: np.ndarray) -> ArkitData:
    """The head with the vertices `kept` [V] bool alone, and the faces that lie wholly on them."""
    whole = kept[data.faces].all(1)
    number = np.cumsum(kept) - 1
    moved = ("shape_basis", "expression_basis", "jaw_basis", "lid_basis", "eyeball")
    columns = {name: np.ascontiguousarray(getattr(data, name)[:, kept]) for name in moved}
    rows = {name: getattr(data, name)[kept] for name in ("neutral", "root_share", "vertex_part")}
    per_face = {name: getattr(data, name)[whole] for name in ("uv", "face_part", "face_area")}
    return replace(data, faces=number[data.faces[whole]], **columns, **rows, **per_face)
