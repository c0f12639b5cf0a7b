"""A colour for every vertex of the tracked mesh, from the frames in which it is seen."""

from collections.abc import Iterable

import numpy as np

from emotag.artifacts import Tracks
from emotag.geometry.camera import Camera
from emotag.head.base import HeadModel
from emotag.render.mesh import rasterise, vertex_normals
from emotag.tracking.posing import posed_vertices

OCCLUSION_M = 1.2e-3  # over the cosine to the line of sight, for a pixel's depth is that of its centre
SLANTED = 0.15  # cosine below which a vertex is not sampled
UNSEEN = 0.5


def bilinear(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Sample `picture` [H, W, C] at `points` [N, 2] px (centre of the first pixel at 0.5, 0.5; the border is repeated)."""
    height, width = picture.shape[:2]
    x = np.clip(points[:, 0] - 0.5, 0, width - 1.001)
    y = np.clip(points[:, 1] - 0.5, 0, height - 1.001)
    left, top = x.astype(int), y.astype(int)
    u, v = (x - left)[:, None], (y - top)[:, None]
    upper = (1 - u) * picture[top, left] + u * picture[top, left + 1]
    lower = (1 - u) * picture[top + 1, left] + u * picture[top + 1, left + 1]
    return (1 - v) * upper + v * lower


def visible(vertices: np.ndarray, faces: np.ndarray, camera: Camera) -> np.ndarray:
    """Cosine [V] between normal and line of sight where a vertex [V, 3] is in front and in the picture, else 0."""
    frame = rasterise(vertices, faces, camera)
    depth = -vertices[:, 2]
    x = camera.cx + camera.fx * vertices[:, 0] / depth
    y = camera.cy - camera.fy * vertices[:, 1] / depth
    inside = (x >= 0) & (x < camera.width) & (y >= 0) & (y < camera.height)
    column, row = np.clip(x, 0, camera.width - 1).astype(int), np.clip(y, 0, camera.height - 1).astype(int)
    front = frame.depth[row, column]
    sight = -vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    cosine = (vertex_normals(vertices, faces) * sight).sum(1)
    clear = inside & ((front == 0) | (depth < front + OCCLUSION_M / np.maximum(cosine, SLANTED)))
    return np.where(clear & (cosine > SLANTED), cosine, 0.0)


def vertex_colours(
    head: HeadModel, tracks: Tracks, frames: Iterable[tuple[int, np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Median colour [V, 3] 0 to 1 of each vertex over the frames in which it is seen, and how often it was [V].

    `frames` gives (index, picture [H, W, 3] uint8, head mask [H, W] bool). Vertices never seen take the median of their
    region; a region never seen is grey.
    """
    camera, faces = Camera.from_dict(tracks.camera), head.faces.cpu().numpy()
    samples, seen = [], []
    for index, picture, mask in frames:
        vertices = posed_vertices(head, tracks, slice(index, index + 1))[0].double().numpy()
        pixels = np.stack(
            [
                camera.cx - camera.fx * vertices[:, 0] / vertices[:, 2],
                camera.cy + camera.fy * vertices[:, 1] / vertices[:, 2],
            ],
            1,
        )
        colour = bilinear(picture.astype(np.float32) / 255, pixels)
        inside = bilinear(mask.astype(np.float32)[..., None], pixels)[:, 0] > 0.5
        samples.append(colour)
        seen.append((visible(vertices, faces, camera) > 0) & inside)
    colours, known = np.stack(samples), np.stack(seen)
    count = known.sum(0)
    masked = np.where(known[..., None], colours, np.nan)
    result = np.full(colours.shape[1:], UNSEEN)
    result[count > 0] = np.nanmedian(masked[:, count > 0], axis=0)
    for region in head.vertex_regions.values():
        members = region.cpu().numpy()
        lacking, having = members & (count == 0), members & (count > 0)
        if having.any():
            result[lacking] = np.median(result[having], axis=0)
    return result.astype(np.float32), count
