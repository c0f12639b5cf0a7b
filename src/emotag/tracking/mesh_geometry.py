"""Depth and normals of the tracked mesh, on skin and neck."""

import numpy as np

from emotag.artifacts import Tracks
from emotag.geometry.camera import Camera
from emotag.head.base import HeadModel
from emotag.render.mesh import normals, rasterise
from emotag.tracking.posing import posed_vertices

REGIONS = ("skin", "lips", "eyelids", "brows", "neck", "ears")


def surface(head: HeadModel, tracks: Tracks, index: int, size_px: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Depth [H, W] m, unit normals [H, W, 3] in the camera's frame and mask [H, W] of frame `index` at `size_px`.

    The mask holds the regions on which the mesh is the person's surface: no scalp (hair), eyes or mouth interior.
    """
    camera, faces = Camera.from_dict(tracks.camera).resized(size_px, size_px), head.faces.cpu().numpy()
    vertices = posed_vertices(head, tracks, slice(index, index + 1))[0].double().numpy()
    frame = rasterise(vertices, faces, camera)
    trusted = np.zeros(len(faces), bool)
    for name in REGIONS:
        trusted |= head.face_regions[name].cpu().numpy()
    mask = frame.covered & trusted[frame.face_index]
    return frame.depth, normals(frame, vertices, faces), mask
