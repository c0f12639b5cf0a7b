"""The tracked mesh drawn over a frame, for the quality report: is it where the face is?"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch

from emotag.artifacts import Tracks
from emotag.geometry.camera import Camera
from emotag.head.base import HeadModel
from emotag.tracking.posing import posed_vertices

WIRE, LINES = (70, 200, 255), {"lips": (255, 70, 90), "eyelids": (90, 255, 90), "eyeballs": (255, 220, 60)}
WIRE_ALPHA, LINE_ALPHA = 0.22, 0.9
STEP_PX = 0.7


@dataclass(frozen=True)
class _Edges:
    """Mesh edges [K, 2] with the two faces beside them [K, 2], and which are wire and which outline a named region."""

    vertices: np.ndarray
    beside: np.ndarray
    wire: np.ndarray
    outlines: dict[str, np.ndarray]


@lru_cache(maxsize=4)
def _edges(head: HeadModel) -> _Edges:
    faces = head.faces.cpu().numpy()
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    owner = np.tile(np.arange(len(faces)), 3)
    edges, index, count = np.unique(pairs, axis=0, return_inverse=True, return_counts=True)
    order = np.argsort(index.reshape(-1), kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    beside = np.stack([owner[order[starts]], owner[order[starts + np.minimum(count, 2) - 1]]], 1)
    inside = {name: mask.cpu().numpy()[beside] for name, mask in head.face_regions.items()}
    outlines = {name: inside[name].any(1) & ~inside[name].all(1) for name in LINES if name in inside}
    skin = inside["skin"] | inside["lips"] | inside["neck"]
    return _Edges(edges, beside, skin.all(1), outlines)


def draw(frame: np.ndarray, head: HeadModel, tracks: Tracks, index: int) -> np.ndarray:
    """Draw frame `index` of `tracks` over `frame` [H, W, 3] uint8: the skin's wire, outlines of lips, lids and eyeballs."""
    height, width = frame.shape[:2]
    camera = Camera.from_dict(tracks.camera).resized(width, height)
    vertices = posed_vertices(head, tracks, slice(index, index + 1))[0]
    pixels = camera.project(vertices).numpy()
    edges, facing = _edges(head), _facing(vertices, head.faces).numpy()
    seen = facing[edges.beside].all(1)
    canvas = frame.astype(np.float32)
    _lines(canvas, pixels, edges.vertices[edges.wire & seen], WIRE, WIRE_ALPHA)
    for name, mask in edges.outlines.items():
        _lines(canvas, pixels, edges.vertices[mask & facing[edges.beside].any(1)], LINES[name], LINE_ALPHA)
    return np.clip(np.rint(canvas), 0, 255).astype(np.uint8)


def _facing(vertices: torch.Tensor, faces: torch.Tensor) -> torch.Tensor:
    """Which faces [F] turn towards the camera at the origin."""
    a, b, c = vertices[faces].unbind(1)
    normal = torch.linalg.cross(b - a, c - a)
    return (normal * (a + b + c)).sum(-1) < 0


def _lines(
    canvas: np.ndarray, pixels: np.ndarray, edges: np.ndarray, colour: tuple[int, int, int], alpha: float
) -> None:
    """Blend straight lines between `pixels` [V, 2] into `canvas` [H, W, 3] in place (anti-aliased by bilinear splats)."""
    height, width = canvas.shape[:2]
    start, end = pixels[edges[:, 0]], pixels[edges[:, 1]]
    counts = np.maximum(2, np.ceil(np.linalg.norm(end - start, axis=1) / STEP_PX).astype(int) + 1)
    owner = np.repeat(np.arange(len(edges)), counts)
    place = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    share = (place / (counts[owner] - 1))[:, None]
    points = start[owner] * (1 - share) + end[owner] * share - 0.5
    corner = np.floor(points).astype(int)
    fraction = points - corner
    cover = np.zeros((height, width), np.float32)
    for dx in (0, 1):
        for dy in (0, 1):
            x, y = corner[:, 0] + dx, corner[:, 1] + dy
            weight = np.abs(1 - dx - fraction[:, 0]) * np.abs(1 - dy - fraction[:, 1])
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            np.add.at(cover, (y[inside], x[inside]), weight[inside])
    cover = alpha * np.minimum(cover, 1)[..., None]
    canvas *= 1 - cover
    canvas += cover * np.array(colour, np.float32)
