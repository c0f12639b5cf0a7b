"""FLAME's official arrays made a head model: landmarks, regions, teeth, channels of upper and lower face, units.

What FLAME itself does not say comes from the MakeHuman head registered to it (`emotag.head.registration`), or from its own
files where they are given: its landmarks as anchors (`emotag.head.flame_landmarks`), and the vertex masks of
`FLAME_masks.pkl` (`scalp`, `neck`, `left_ear`, …).
"""

import logging
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from emotag.errors import ArtifactMismatch
from emotag.head.arkit import ArkitHead
from emotag.head.flame import FlameMesh
from emotag.head.flame_data import FlameHeadData
from emotag.head.flame_landmarks import Anchors
from emotag.head.flame_source import JOINTS, FlameData
from emotag.head.flame_teeth import with_teeth
from emotag.head.landmark_embedding import LandmarkEmbedding
from emotag.head.regions import PARTS, vertex_labels
from emotag.head.registration import Registered, Surface, register, transferred_labels, transferred_landmarks

log = logging.getLogger(__name__)
NOSE_TIP = 4
# Of the mean power of a unit's landmarks: how much must speak for a unit that others explain as well.
UNIT_RIDGE = 0.005
JAW_STEP = 0.05  # rad, of the differences
# Regions of FLAME's own masks that replace those carried over, the later ones over the earlier.
MASKS = {"scalp": ("scalp",), "neck": ("neck", "boundary"), "ears": ("left_ear", "right_ear"), "lips": ("lips",)}


def build(
    data: FlameData,
    makehuman: ArkitHead,
    name: str,
    components: int,
    anchors: Anchors | None = None,
    masks: Mapping[str, np.ndarray] | None = None,
) -> FlameHeadData:
    """The head model `name` with the first `components` of FLAME's expression components.

    Args: `anchors` known landmarks; `masks` {name: vertices}.
    """
    eyeball = np.stack([data.skinning[:, JOINTS.index(joint)] > 0.5 for joint in ("left_eye", "right_eye")])
    surface = Surface(data.neutral.astype(np.float64), data.faces, eyeball, anchored(data, anchors))
    registered = register(makehuman, surface)
    embedding = transferred_landmarks(registered, surface)
    labels, front = transferred_labels(registered, surface)
    labels = masked(labels, data.faces, masks or {})
    augmented, teeth = with_teeth(data, embedding)
    added = int(teeth.sum())
    labels = np.concatenate([labels, np.full(added, PARTS.index("teeth"), np.uint8)])
    expression = augmented.expression_basis[:components].astype(np.float64)
    names, mixing = split_channels(expression, augmented.neutral, embedding, eyeball)
    channels = np.tensordot(mixing, expression, 1).astype(np.float32)
    vertex_count = len(augmented.neutral)
    return FlameHeadData(
        name=name,
        expression_names=names,
        unit_names=list(makehuman.expression_names),
        jaw_limits=list(makehuman.jaw_limits),
        neutral=augmented.neutral,
        faces=augmented.faces,
        uv=cylindrical(augmented.neutral)[augmented.faces],
        shape_basis=augmented.shape_basis,
        expression_basis=channels,
        mixing=mixing.astype(np.float32),
        pose_basis=augmented.pose_basis,
        joint_regressor=augmented.joint_regressor,
        skinning=augmented.skinning,
        eyeball=np.pad(eyeball, ((0, 0), (0, vertex_count - eyeball.shape[1]))),
        face_part=labels,
        vertex_part=vertex_labels(augmented.faces, labels, vertex_count),
        face_area=np.concatenate([front, np.zeros(added, bool)]),
        landmark_triangles=embedding.triangles.numpy(),
        landmark_barycentric=embedding.barycentric.numpy(),
        landmark_spread=embedding.spread.numpy(),
        unit_map=unit_map(registered, embedding, data, channels[:, : len(data.neutral)]),
    )


def anchored(data: FlameData, anchors: Anchors | None) -> dict[int, np.ndarray]:
    """Known landmarks as positions [3] m by MediaPipe's number."""
    if anchors is None:
        return {}
    if (anchors.faces < 0).any() or (anchors.faces >= len(data.faces)).any():
        raise ArtifactMismatch(
            f"{data.edition}: the landmarks given are on faces up to {anchors.faces.max()}, expected up to "
            f"{len(data.faces) - 1}; take the file that goes with this model"
        )
    points = np.einsum("nc,ncd->nd", anchors.barycentric, data.neutral[data.faces[anchors.faces]])
    return {int(number): point for number, point in zip(anchors.numbers, points, strict=True)}


def masked(labels: np.ndarray, faces: np.ndarray, masks: Mapping[str, np.ndarray]) -> np.ndarray:
    """`labels` [F] with the regions of FLAME's own masks: a face belongs where all its vertices do."""
    labels = labels.copy()
    for part, names in MASKS.items():
        present = [masks[name] for name in names if name in masks]
        if present:
            old, new = PARTS.index(part), np.isin(faces, np.concatenate(present)).all(1)
            labels[labels == old] = PARTS.index("skin")
            labels[new & (labels != PARTS.index("eyeballs"))] = old
    return labels


def split_channels(
    expression: np.ndarray, neutral: np.ndarray, embedding: LandmarkEmbedding, eyeball: np.ndarray
) -> tuple[list[str], np.ndarray]:
    """Names [E] and `mixing` [E, E], orthogonal: each channel is a mixture of FLAME's components.

    Speech moves the lower face and cues the upper, but every component of FLAME moves both. The eigenvectors of the
    difference of their (relative) powers are the mixtures that move the one and spare the other; unit variances stay.
    """
    nose = embedding.surface_points(torch.from_numpy(neutral)[None])[0, NOSE_TIP, 1].item()
    eyes = neutral[: eyeball.shape[1]][eyeball.any(0), 1].mean()
    above = neutral[:, 1] > (nose + eyes) / 2
    powers = []
    for part in (above, ~above):
        moved = expression[:, part].reshape(len(expression), -1)
        power = moved @ moved.T
        powers.append(power / max(np.trace(power), 1e-30))
    values, vectors = np.linalg.eigh(powers[0] - powers[1])
    order = np.argsort(-values, kind="stable")
    vectors, upper = vectors[:, order], int((values > 0).sum())
    largest = np.abs(vectors).argmax(0)
    mixing = (vectors * np.sign(vectors[largest, np.arange(len(values))])).T
    names = [f"upper{i:02d}" for i in range(upper)] + [f"lower{i:02d}" for i in range(len(values) - upper)]
    return names, mixing


def unit_map(registered: Registered, embedding: LandmarkEmbedding, data: FlameData, channels: np.ndarray) -> np.ndarray:
    """[U + 2, E + 2]: the ARKit units and jaw angles of the MakeHuman head whose landmarks move as FLAME's do.

    Ridge regression: with D the displacements of the landmarks by unit and angle on the registered head, and J those by
    channel, pitch and yaw on FLAME, it is (D'D + lambda)^-1 D'J.
    """
    head = registered.head
    # Angles at their limits, so that they weigh as units at 1 do.
    full = np.concatenate([np.ones(len(head.expression_names)), head.jaw_limits])
    units = registered.scale * full[:, None] * unit_displacements(head)
    moves = [embedding.surface_points(torch.from_numpy(channels)).double().numpy().reshape(len(channels), -1)]
    moves.append(jaw_displacements(data, embedding))
    flame = np.concatenate(moves)
    gram = units @ units.T
    ridge = UNIT_RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    return (full[:, None] * np.linalg.solve(gram + ridge, units @ flame.T)).astype(np.float32)


def unit_displacements(head: ArkitHead) -> np.ndarray:
    """[U + 2, 478 * 3] m: by each expression unit at 1, and by the jaw's pitch and yaw a rad."""
    size = len(head.expression_names)
    expression = torch.cat([torch.eye(size), torch.zeros(3, size)])
    jaw = torch.zeros(size + 3, 3)
    jaw[size, 0] = jaw[size + 1, 1] = JAW_STEP
    still = [torch.zeros(size + 3, width) for width in (3, 6, 3, 3)]
    vertices = head.vertices(torch.zeros(1, head.shape_size), expression, jaw, *still)
    moved = (vertices[:-1] - vertices[-1:]).double()
    moved[size:] /= JAW_STEP
    return _points(head.embedding, moved)


def jaw_displacements(data: FlameData, embedding: LandmarkEmbedding) -> np.ndarray:
    """[2, 478 * 3] m by FLAME's jaw a rad of pitch and of yaw."""
    mesh = FlameMesh(data)
    jaw = torch.zeros(3, 3)
    jaw[0, 0] = jaw[1, 1] = JAW_STEP
    zero = torch.zeros(3, 3)
    vertices = mesh.vertices(
        torch.zeros(1, mesh.shape_size), torch.zeros(3, mesh.expression_size), jaw, zero, torch.zeros(3, 6), zero, zero
    )
    return _points(embedding, (vertices[:2] - vertices[2:]).double() / JAW_STEP)


def _points(embedding: LandmarkEmbedding, moved: Tensor) -> np.ndarray:
    return embedding.surface_points(moved).numpy().reshape(len(moved), -1)


def cylindrical(neutral: np.ndarray) -> np.ndarray:
    """[V, 2] texture coordinates 0 to 1 around the vertical axis, the face in the middle: the pickle holds none."""
    centre = (neutral.min(0) + neutral.max(0)) / 2
    around = np.arctan2(neutral[:, 0] - centre[0], neutral[:, 2] - centre[2]) / (2 * np.pi) + 0.5
    height = (neutral[:, 1] - neutral[:, 1].min()) / np.ptp(neutral[:, 1])
    return np.stack([around, height], 1).astype(np.float32)
