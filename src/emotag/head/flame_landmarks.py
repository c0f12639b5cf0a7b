"""FLAME's own landmark files: which of its surface points are iBUG's 68 and MediaPipe's, read without running anything.

`landmark_embedding.npy` is a dictionary in an object array, as DECA and its kin hand it on (some of it torch tensors):

| key | shape | |
| --- | --- | --- |
| static_lmk_faces_idx, static_lmk_bary_coords | 51; 51, 3 | iBUG's points 17 to 67 |
| dynamic_lmk_faces_idx, dynamic_lmk_bary_coords | 79, 17; 79, 17, 3 | the contour at yaws of 0 to 39, -1 to -39 degrees |
| full_lmk_faces_idx, full_lmk_bary_coords | 1, 68; 1, 68, 3 | all as seen from the front (not used) |

`mediapipe_landmark_embedding.npz` has 105 points: `lmk_face_idx`, `lmk_b_coords`, `landmark_indices`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emotag.errors import ArtifactMismatch
from emotag.head.landmark_sets import IBUG_68, IBUG_INNER_51
from emotag.io.npz import read_npz
from emotag.io.pickles import STORED_TENSORS, read_object_array

YAWS, CONTOUR, INNER = 79, 17, 51
FRONTAL = 0
CHIN = 8
SHAPES = {
    "static_lmk_faces_idx": (INNER,),
    "static_lmk_bary_coords": (INNER, 3),
    "dynamic_lmk_faces_idx": (YAWS, CONTOUR),
    "dynamic_lmk_bary_coords": (YAWS, CONTOUR, 3),
}


@dataclass(frozen=True)
class Anchors:
    """Known landmarks of a FLAME surface: `faces` [n], `barycentric` [n, 3] and MediaPipe's `numbers` [n]."""

    faces: np.ndarray
    barycentric: np.ndarray
    numbers: np.ndarray


@dataclass(frozen=True)
class Embedding68:
    """iBUG's points: 17 to 67 as `inner_faces` [51] and `inner_barycentric` [51, 3]; 0 to 16, the contour, by the yaw at
    which it is seen, as `contour_faces` [79, 17] and `contour_barycentric` [79, 17, 3]."""

    inner_faces: np.ndarray
    inner_barycentric: np.ndarray
    contour_faces: np.ndarray
    contour_barycentric: np.ndarray

    def anchors(self) -> Anchors:
        """The 51 inner points and the chin of the frontal contour: where MediaPipe has points of the same meaning. Of the
        rest of the contour it has not: its jaw line stays on the skin where iBUG's wanders with the view."""
        chin = self.contour_faces[FRONTAL, [CHIN]], self.contour_barycentric[FRONTAL, [CHIN]]
        return Anchors(
            np.concatenate([self.inner_faces, chin[0]]),
            np.concatenate([self.inner_barycentric, chin[1]]),
            np.array([*IBUG_INNER_51, IBUG_68[CHIN]]),
        )


def read_68(path: Path) -> Embedding68:
    """`landmark_embedding.npy` of FLAME's authors.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, names anything but arrays and tensors, or is not that.
    """
    content = read_object_array(path, STORED_TENSORS)
    if not isinstance(content, dict) or (lacking := [key for key in SHAPES if key not in content]):
        found = f"no {', '.join(lacking)}" if isinstance(content, dict) else type(content).__name__
        raise ArtifactMismatch(f"{path}: found {found}, expected the arrays {', '.join(SHAPES)}; get it again")
    arrays = [_numbers(content[key]) for key in SHAPES]
    for (key, shape), array in zip(SHAPES.items(), arrays, strict=True):
        if array.shape != shape:
            raise ArtifactMismatch(f"{path}: {key} is {list(array.shape)}, expected {list(shape)}; get it again")
    inner, weights, contour, contour_weights = arrays
    return Embedding68(
        inner.astype(np.int64), weights.astype(np.float64), contour.astype(np.int64), contour_weights.astype(np.float64)
    )


def _numbers(value: Any) -> np.ndarray:
    """An array, whatever it was kept as."""
    return value.numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


def read_mediapipe(path: Path) -> Anchors:
    """`mediapipe_landmark_embedding.npz` of FLAME's authors.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is not that.
    """
    names = ("lmk_face_idx", "lmk_b_coords", "landmark_indices")
    content = read_npz(path)
    if missing := [name for name in names if name not in content]:
        raise ArtifactMismatch(f"{path}: no {', '.join(missing)}, expected the arrays {', '.join(names)}; get it again")
    faces, weights, numbers = (content[name] for name in names)
    return Anchors(faces.astype(np.int64), weights.astype(np.float64), numbers.astype(np.int64))


def read(path: Path) -> Anchors:
    """Either of the two files, by its name's end."""
    return read_68(path).anchors() if Path(path).suffix == ".npy" else read_mediapipe(path)
