"""Depth and normals of the adaptation part, from the tracked mesh.

Reads the head model, `Tracks` and the clip's labels; writes `Geometry` on skin and neck only (a mesh has no hair; where
hair hangs over the skin the labels take it out).
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Geometry, Tracks
from emotag.config import GeometryConfig
from emotag.head import makehuman
from emotag.io.video import read_gray
from emotag.parts import adaptation_part
from emotag.tracking.mesh_geometry import surface
from emotag.tracking.regions import INDEX

BARE = [INDEX[name] for name in ("neck", "skin", "brows", "eyes", "lips", "mouth_interior")]


def run(
    *, head: Path, tracks: Path, labels: Path, start_s: float, seconds: float, out: Path, config: GeometryConfig
) -> None:
    """Rasterise the tracked mesh of every adaptation frame.

    Raises:
        FootageError: the part lies outside the clip.
    """
    model, tracked = makehuman.load(head), Tracks.load(tracks)
    start, stop = adaptation_part(len(tracked.expression), start_s, seconds)
    depths, normals, masks = [], [], []
    for index, label in zip(range(start, stop), read_gray(labels, start, stop), strict=True):
        depth, normal, mask = surface(model, tracked, index, config.size_px)
        rows = (np.arange(config.size_px) + 0.5) * label.shape[0] / config.size_px
        columns = (np.arange(config.size_px) + 0.5) * label.shape[1] / config.size_px
        nearest = label[rows.astype(int)[:, None], columns.astype(int)]
        depths.append(depth.astype(np.float16))
        normals.append(np.rint(normal * 127).astype(np.int8))
        masks.append(mask & np.isin(nearest, BARE))
    geometry = Geometry(np.stack(depths), np.stack(normals), np.stack(masks), [start, stop], config.provider)
    geometry.save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
