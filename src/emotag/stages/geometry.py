"""Depth and normals of the adaptation part: of the tracked mesh, or by Sapiens.

Reads the head model, `Tracks` and the clip's labels; writes `Geometry`. The mesh's are on skin and neck only (a mesh has no
hair; where hair hangs over the skin the labels take it out). Sapiens reads crop and two networks as well; its maps are on the
whole head, hair included.
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Geometry, Tracks
from emotag.config import GeometryConfig
from emotag.head import models
from emotag.io.stamps import stamp
from emotag.io.video import read_frames, read_gray
from emotag.parts import adaptation_part
from emotag.tracking import sapiens
from emotag.tracking.mesh_geometry import surface
from emotag.tracking.regions import INDEX, head_mask

BARE = [INDEX[name] for name in ("neck", "skin", "brows", "eyes", "lips", "mouth_interior")]


def run(
    *,
    head: Path,
    tracks: Path,
    labels: Path,
    appearance: list[Path],
    start_s: float,
    seconds: float,
    out: Path,
    config: GeometryConfig,
) -> None:
    """Depth and normals of every adaptation frame.

    Args: `appearance`: crop, depth and normal network of provider sapiens, and empty otherwise.

    Raises:
        FootageError: the part lies outside the clip.
    """
    model, tracked = models.load(head), Tracks.load(tracks)
    start, stop = adaptation_part(len(tracked.expression), start_s, seconds)
    depths, normals, masks, heads = [], [], [], []
    for index, label in zip(range(start, stop), read_gray(labels, start, stop), strict=True):
        depth, normal, mask = surface(model, tracked, index, config.size_px)
        nearest = sized(label, config.size_px)
        depths.append(depth.astype(np.float16))
        normals.append(packed(normal))
        masks.append(mask & np.isin(nearest, BARE))
        heads.append(head_mask(nearest))
    depth, normal, mask = np.stack(depths), np.stack(normals), np.stack(masks)
    if appearance:
        depth, normal = seen(*appearance, (start, stop), normal, mask)
        mask = np.stack(heads)
    Geometry(depth, normal, mask, [start, stop], config.provider).save(out, stage.provenance() | stamp(*appearance[1:]))


def packed(normal: np.ndarray) -> np.ndarray:
    """Normals of length 1 as the artifact holds them."""
    return np.rint(normal * 127).astype(np.int8)


def sized(label: np.ndarray, size_px: int) -> np.ndarray:
    """[size, size] of labels [H, W], by the nearest pixel."""
    rows = (np.arange(size_px) + 0.5) * label.shape[0] / size_px
    columns = (np.arange(size_px) + 0.5) * label.shape[1] / size_px
    return label[rows.astype(int)[:, None], columns.astype(int)]


def seen(
    crop: Path, depth_network: Path, normal_network: Path, part: tuple[int, int], mesh: np.ndarray, mask: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Depth [T, H, W] and packed normals [T, H, W, 3] by Sapiens, in the axes of the `mesh`'s packed ones."""
    networks = [sapiens.load(path) for path in (depth_network, normal_network)]
    depths, normals = [], []
    for frame in read_frames(crop, *part):
        depths.append(sapiens.predict(networks[0], frame, 1, mesh.shape[1], depth_network)[..., 0].astype(np.float16))
        normals.append(sapiens.unit(sapiens.predict(networks[1], frame, 3, mesh.shape[1], normal_network)))
    normal = np.stack(normals)
    return np.stack(depths), packed(normal * sapiens.axis_signs(normal, mesh, mask))


if __name__ == "__main__":
    stage.main(run)
