"""Teeth for FLAME, which has none: two arches behind the lips, as GaussianAvatars augments the mesh (Qian et al. 2024).

As there: 120 vertices in eight rows of 15 (root and edge, front and back, of both jaws), which take the identity components
of the lips before them, no expression and no pose corrective; the upper arch hangs on the neck's joint, the lower on the
jaw's. Where exactly they lie is ours: an arch of a usual dental curve behind the line between the lips.
"""

from dataclasses import replace

import numpy as np

from emotag.head.flame_source import JOINTS, FlameData
from emotag.head.landmark_embedding import LandmarkEmbedding
from emotag.head.landmark_sets import INNER_LIP_LOWER, INNER_LIP_UPPER

COLUMNS = 15
# In widths of the closed mouth (about 5 cm).
HALF_WIDTH, SETBACK, ARCH = 0.42, 0.10, 0.55
# The upper edge hangs below the line of the closed lips, as incisors show below a resting upper lip; the lower is behind it.
UPPER_EDGE, LOWER_EDGE = -0.05, -0.01
UPPER_HEIGHT, LOWER_HEIGHT, OVERJET, THICKNESS = 0.23, 0.17, 0.05, 0.09
ROWS = ("upper_root", "upper_edge", "upper_edge_back", "upper_root_back",
        "lower_root", "lower_edge", "lower_edge_back", "lower_root_back")  # fmt: skip


def with_teeth(data: FlameData, embedding: LandmarkEmbedding) -> tuple[FlameData, np.ndarray]:
    """FLAME with 120 more vertices and 168 more faces at the end, and which faces are teeth [F] bool."""
    lips = _lip_line(embedding, len(data.neutral))
    line = np.einsum("cv,vd->cd", lips, data.neutral.astype(np.float64))
    width = np.linalg.norm(line[-1] - line[0])
    across = np.linspace(-HALF_WIDTH, HALF_WIDTH, COLUMNS) * width
    middle, axis = line.mean(0), (line[-1] - line[0]) / width
    front = line[len(line) // 2]
    base = middle + across[:, None] * axis
    base[:, 1] = middle[1]
    base[:, 2] = front[2] - SETBACK * width - ARCH * across**2 / width
    up, back = np.array([0.0, 1.0, 0.0]), np.array([0.0, 0.0, -1.0])
    edge = {"upper": base + UPPER_EDGE * width * up, "lower": base + width * (LOWER_EDGE * up + OVERJET * back)}
    rise = {"upper": UPPER_HEIGHT * width * up, "lower": -LOWER_HEIGHT * width * up}
    rows = []
    for name in ROWS:
        jaw, part, *behind = name.split("_")
        rows.append(edge[jaw] + (rise[jaw] if part == "root" else 0) + (THICKNESS * width * back if behind else 0))
    vertices = np.concatenate(rows).astype(np.float32)
    # A column takes the identity of the lips at its own place along the mouth.
    share = _nearest(line, base) @ lips
    shape = np.einsum("cv,svd->scd", share, data.shape_basis).astype(np.float32)
    skinning = np.zeros((len(vertices), len(JOINTS)), np.float32)
    skinning[: len(vertices) // 2, JOINTS.index("neck")] = 1
    skinning[len(vertices) // 2 :, JOINTS.index("jaw")] = 1
    count = len(vertices)
    faces = _faces(len(data.neutral))
    augmented = replace(
        data,
        neutral=np.concatenate([data.neutral, vertices]),
        faces=np.concatenate([data.faces, faces]),
        shape_basis=np.concatenate([data.shape_basis, np.tile(shape, (1, len(ROWS), 1))], 1),
        expression_basis=np.pad(data.expression_basis, ((0, 0), (0, count), (0, 0))),
        pose_basis=np.pad(data.pose_basis, ((0, 0), (0, count), (0, 0))),
        joint_regressor=np.pad(data.joint_regressor, ((0, 0), (0, count))),
        skinning=np.concatenate([data.skinning, skinning]),
    )
    return augmented, np.arange(len(augmented.faces)) >= len(data.faces)


def _lip_line(embedding: LandmarkEmbedding, count: int) -> np.ndarray:
    """Weights [11, V = `count`] of the points midway between the inner lips, from the subject's right to the left."""
    triangles, weights = embedding.triangles.numpy(), embedding.barycentric.double().numpy()
    line = np.zeros((len(INNER_LIP_UPPER), count))
    for row, pair in enumerate(zip(INNER_LIP_UPPER, INNER_LIP_LOWER, strict=True)):
        for point in pair:
            np.add.at(line[row], triangles[point], weights[point] / 2)
    return line


def _nearest(line: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Weights [15, 11] that interpolate along the line of the lips at each column's place across."""
    place = np.interp(base[:, 0], line[:, 0], np.arange(len(line)))
    low = np.minimum(place.astype(int), len(line) - 2)
    weights = np.zeros((len(base), len(line)))
    weights[np.arange(len(base)), low] = 1 - (place - low)
    weights[np.arange(len(base)), low + 1] = place - low
    return weights


def _faces(first: int) -> np.ndarray:
    """[168, 3] triangles of both arches, outside seen anticlockwise: front, edge and back of each."""
    faces = []
    for jaw in range(2):
        rows = first + (4 * jaw + np.arange(4)[:, None]) * COLUMNS + np.arange(COLUMNS)
        # Root, edge, edge behind, root behind: a strip around the arch; the lower one runs the other way up.
        for above, below in zip(rows[:-1], rows[1:], strict=True):
            upper, lower = (above, below) if jaw == 0 else (below, above)
            for left, right in zip(range(COLUMNS - 1), range(1, COLUMNS), strict=True):
                faces += [[upper[left], lower[left], lower[right]], [upper[left], lower[right], upper[right]]]
    return np.array(faces)
