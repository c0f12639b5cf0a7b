"""The regions that every head model names, and labels of faces carried over to vertices.

Every face and every vertex carries exactly one of `PARTS`; `face` overlaps them (front of the head, mask-like). A part
that a model does not have (FLAME has no tongue and no lashes) is an empty mask.
"""

import numpy as np

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
