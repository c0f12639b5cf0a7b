"""FLAME's pickle (2020, 2023, 2023 Open) as arrays, read once and without chumpy, smplx or any code of its own.

Li, Bolkart, Black, Li and Romero 2017, "Learning a model of facial shape and expression from 4D scans". A dictionary written
by Python 2, in which FLAME 2020 has some arrays as `chumpy.ch.Ch` (the array is its attribute `x`) and J_regressor as a
scipy sparse matrix:

| key | shape | |
| --- | --- | --- |
| v_template | V, 3 | m, y up, face towards +z; V = 5023 |
| f | F, 3 | F = 9976 |
| shapedirs | V, 3, 400 | 300 identity components, then 100 of expression |
| posedirs | V, 3, 36 | correctives by R - I of neck, jaw, left eye, right eye, row by row |
| J_regressor | 5, V | joints: root, neck, jaw, left eye, right eye |
| weights | V, 5 | skinning |
| kintree_table | 2, 5 | first row: parents, the root's being 2^32 - 1 |
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse

from emotag.errors import ArtifactMismatch
from emotag.io.pickles import ARRAYS, Forbidden, read_arrays

IDENTITY = 300
JOINTS = ("root", "neck", "jaw", "left_eye", "right_eye")
PARENTS = (-1, 0, 1, 1, 1)
POSE_FEATURES = 9 * (len(JOINTS) - 1)
KEYS = ("v_template", "f", "shapedirs", "posedirs", "J_regressor", "weights", "kintree_table")


@dataclass(frozen=True)
class FlameData:
    """FLAME's arrays: `neutral` [V, 3] m, `faces` [F, 3], `shape_basis` [S, V, 3], `expression_basis` [E, V, 3], `pose_basis`
    [36, V, 3], `joint_regressor` [5, V], `skinning` [V, 5]. `edition` is the pickle's name."""

    edition: str
    neutral: np.ndarray
    faces: np.ndarray
    shape_basis: np.ndarray
    expression_basis: np.ndarray
    pose_basis: np.ndarray
    joint_regressor: np.ndarray
    skinning: np.ndarray


class State:
    """Holds the state of a pickled object without being that object."""

    def __setstate__(self, state: Any) -> None:
        self.state = state


def _reconstructor(kind: Any, base: Any, state: Any) -> State:
    """`copy_reg._reconstructor`, for states alone."""
    if not (isinstance(kind, type) and issubclass(kind, State)):
        raise Forbidden(f"it builds {kind!r}")
    return kind()


CHUMPY = {("chumpy.ch", "Ch"): State, ("chumpy", "Ch"): State}
SPARSE = {
    (f"scipy.sparse{module}", f"{kind}_matrix"): type(kind, (State,), {"kind": kind})
    for kind in ("csc", "csr")
    for module in ("", f".{kind}", f"._{kind}")
}
NAMES = {
    **ARRAYS,
    **CHUMPY,
    **SPARSE,
    ("copy_reg", "_reconstructor"): _reconstructor,
    ("copyreg", "_reconstructor"): _reconstructor,
    ("__builtin__", "object"): object,
    ("builtins", "object"): object,
    ("__builtin__", "set"): set,
    ("builtins", "set"): set,
}


def read(path: Path) -> FlameData:
    """The arrays of a FLAME pickle.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, names anything but arrays, or is no FLAME model.
    """
    content = read_arrays(path, NAMES)
    if not isinstance(content, dict) or (missing := [key for key in KEYS if key not in content]):
        found = f"no {', '.join(missing)}" if isinstance(content, dict) else type(content).__name__
        raise ArtifactMismatch(f"{path}: found {found}, expected FLAME's arrays {', '.join(KEYS)}; get the file again")
    try:
        arrays = {key: _dense(content[key]) for key in KEYS}
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactMismatch(f"{path}: an array cannot be read ({error}); get the file again") from error
    _check(arrays, path)
    basis = arrays["shapedirs"].transpose(2, 0, 1).astype(np.float32)
    return FlameData(
        edition=Path(path).stem,
        neutral=arrays["v_template"].astype(np.float32),
        faces=arrays["f"].astype(np.int64),
        shape_basis=np.ascontiguousarray(basis[:IDENTITY]),
        expression_basis=np.ascontiguousarray(basis[IDENTITY:]),
        pose_basis=np.ascontiguousarray(arrays["posedirs"].transpose(2, 0, 1).astype(np.float32)),
        joint_regressor=arrays["J_regressor"].astype(np.float32),
        skinning=arrays["weights"].astype(np.float32),
    )


def _dense(value: Any) -> np.ndarray:
    """An array of any of the three kinds."""
    if isinstance(value, State):
        state = value.state
        if kind := getattr(value, "kind", None):
            make = {"csc": scipy.sparse.csc_matrix, "csr": scipy.sparse.csr_matrix}[kind]
            shape = state["_shape"] if "_shape" in state else state["shape"]
            return make((state["data"], state["indices"], state["indptr"]), shape=tuple(shape)).toarray()
        value = state["x"]
    return np.asarray(value)


def _check(arrays: dict[str, np.ndarray], path: Path) -> None:
    """Refuse arrays that are not FLAME's."""
    vertices = len(arrays["v_template"])
    expected = {
        "v_template": (vertices, 3),
        "posedirs": (vertices, 3, POSE_FEATURES),
        "J_regressor": (len(JOINTS), vertices),
        "weights": (vertices, len(JOINTS)),
        "kintree_table": (2, len(JOINTS)),
    }
    for key, shape in expected.items():
        if arrays[key].shape != shape:
            raise ArtifactMismatch(f"{path}: {key} is {list(arrays[key].shape)}, expected {list(shape)}; is it FLAME?")
    basis, faces = arrays["shapedirs"].shape, arrays["f"]
    if basis[:2] != (vertices, 3) or basis[2] <= IDENTITY:
        raise ArtifactMismatch(
            f"{path}: shapedirs is {list(basis)}, expected [{vertices}, 3, {IDENTITY} of identity and more of expression]"
        )
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min() < 0 or faces.max() >= vertices:
        raise ArtifactMismatch(f"{path}: f is {list(faces.shape)}, expected triangles of {vertices} vertices")
    if tuple(int(parent) for parent in arrays["kintree_table"][0][1:]) != PARENTS[1:]:
        raise ArtifactMismatch(
            f"{path}: joints hang on {arrays['kintree_table'][0].tolist()}, expected {list(PARENTS)}"
        )


def read_masks(path: Path) -> dict[str, np.ndarray]:
    """The vertex masks of `FLAME_masks.pkl`: {region: vertex numbers}.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or holds anything but arrays by name.
    """
    content = read_arrays(path, ARRAYS)
    if not isinstance(content, dict) or not all(isinstance(mask, np.ndarray) for mask in content.values()):
        raise ArtifactMismatch(f"{path}: expected arrays of vertex numbers by region, as FLAME_masks.pkl has them")
    return content
