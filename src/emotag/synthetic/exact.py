"""Exact masks, depth and normals of a drawn talker."""

import numpy as np

from emotag.head.arkit import ArkitHead
from emotag.render.mesh import MeshFrame, interpolate
from emotag.synthetic.figure import SUPERSAMPLING, Drawing, Figure
from emotag.tracking.regions import INDEX, LABELS

# Parts of the head model as labels of a talking head; skin that carries hair is hair, and below the collar it is cloth.
OF_PART = {
    "skin": "skin", "lips": "lips", "mouth_interior": "mouth_interior", "teeth": "mouth_interior",
    "tongue": "mouth_interior", "eyeballs": "eyes", "eyelids": "skin", "brows": "brows", "scalp": "skin", "ears": "skin",
    "neck": "neck",
}  # fmt: skip


def face_labels(head: ArkitHead, figure: Figure) -> np.ndarray:
    """Label [F] uint8 (index into `LABELS`) of every face of the figure: head, shirt, long hair."""
    kept = ~head.face_regions["lashes"].numpy()
    coarse = np.zeros(kept.sum(), np.uint8)
    for part, label in OF_PART.items():
        coarse[head.face_regions[part].numpy()[kept]] = INDEX[label]
    fine = coarse[figure.division.parent]
    fine[figure.paint.hair[figure.division.faces].mean(1) > 0.5] = INDEX["hair"]
    fine[figure.paint.shirt[figure.division.faces].mean(1) > 0.5] = INDEX["torso"]
    others = [
        np.full(size, INDEX[name], np.uint8)
        for size, name in zip(figure.part_sizes[1:], ("torso", "hair"), strict=False)
    ]
    return np.concatenate([fine, *others])


def labels(drawing: Drawing, of_face: np.ndarray) -> np.ndarray:
    """Label [H, W] uint8 of each pixel: what lies at its lower right quarter's centre, a quarter pixel off the middle."""
    seen = drawing.frame.face_index[SUPERSAMPLING // 2 :: SUPERSAMPLING, SUPERSAMPLING // 2 :: SUPERSAMPLING]
    return np.where(seen >= 0, of_face[np.maximum(seen, 0)], np.uint8(LABELS.index("background")))


def geometry(drawing: Drawing, faces: np.ndarray, size_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Depth [s, s] m float16 (0 where empty) and normal [s, s, 3] int8 (times 127, camera's frame) at every k-th sample."""
    step = drawing.frame.face_index.shape[0] // size_px
    thin = MeshFrame(
        *(np.ascontiguousarray(getattr(drawing.frame, name)[step // 2 :: step, step // 2 :: step])
          for name in ("face_index", "barycentric", "depth"))
    )  # fmt: skip
    normal = interpolate(thin, faces, drawing.surface[:, :3])
    normal /= np.maximum(np.linalg.norm(normal, axis=2, keepdims=True), 1e-6)
    return thin.depth.astype(np.float16), np.round(127 * normal).astype(np.int8)
