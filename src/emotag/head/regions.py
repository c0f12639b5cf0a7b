"""The regions that every head model names, their masks, and labels of faces carried over to vertices.

Every face and every vertex carries exactly one of `PARTS`; `face` overlaps them (front of the head, mask-like). A part
that a model does not have (FLAME has no tongue and no lashes) is an empty mask.
"""

import numpy as np
import torch
from torch import Tensor

PARTS = (
    "skin", "lips", "mouth_interior", "teeth", "tongue", "eyeballs", "eyelids", "lashes", "brows", "scalp", "ears",
    "neck",
)  # fmt: skip


def vertex_labels(faces: np.ndarray, labels: np.ndarray, count: int) -> np.ndarray:
    """Most frequent label [V] uint8 among a vertex's faces (the later part of `PARTS` wins a tie)."""
    votes = np.zeros((count, len(PARTS)))
    for corner in range(3):
        np.add.at(votes, (faces[:, corner], labels), 1.0)
    return (votes + 1e-3 * np.arange(len(PARTS))).argmax(1).astype(np.uint8)


def region_masks(
    faces: Tensor, face_part: Tensor, face_area: Tensor, vertex_part: Tensor
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Masks [F] and [V] bool by name, `PARTS` and `face`: the latter's vertices are all those of its triangles.

    `faces` [F, 3]; `face_part` [F] and `vertex_part` [V] index into `PARTS`; `face_area` [F] bool.
    """
    of_faces, of_vertices = ({name: part == i for i, name in enumerate(PARTS)} for part in (face_part, vertex_part))
    front = torch.zeros(len(vertex_part), dtype=torch.bool, device=faces.device)
    front[faces[face_area].flatten()] = True
    return of_faces | {"face": face_area}, of_vertices | {"face": front}
