"""Tracks back to the mesh and its landmarks."""

import numpy as np
import torch

from emotag.artifacts import Tracks
from emotag.geometry.camera import Camera
from emotag.head.base import HeadModel

CHUNK_FRAMES = 50


def posed_vertices(head: HeadModel, tracks: Tracks, part: slice) -> torch.Tensor:
    """Vertices [B, V, 3] m in the camera's frame of the frames `part`."""
    arrays = (tracks.expression, tracks.jaw, tracks.neck, tracks.eyes, tracks.rotation, tracks.translation)
    values = [torch.from_numpy(array[part]).float() for array in arrays]
    shape = torch.from_numpy(tracks.shape).float()[None].expand(len(values[0]), -1)
    return head.vertices(shape, *values)


def model_points(head: HeadModel, tracks: Tracks, landmark_offsets: np.ndarray) -> np.ndarray:
    """The head's 478 points [T, 478, 2] px at the tracked state, through the whole mesh; `landmark_offsets` [478, 3] m."""
    camera, offsets = Camera.from_dict(tracks.camera), torch.from_numpy(landmark_offsets).float()
    parts = []
    for start in range(0, len(tracks.expression), CHUNK_FRAMES):
        part = slice(start, start + CHUNK_FRAMES)
        rotation = torch.from_numpy(tracks.rotation[part]).float()
        parts.append(camera.project(head.landmarks(posed_vertices(head, tracks, part), offsets, rotation)).numpy())
    return np.concatenate(parts)
