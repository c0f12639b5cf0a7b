"""Where MediaPipe's 478 face mesh points lie on a head model.

The mesh is drawn in plain colours under many views, expressions, people and lights, MediaPipe is run on the pictures,
and for each point the surface point whose projections are nearest to the detections (median over the views in which it
faces the camera) is kept. Points are searched among vertices first, then finely on the triangles around the best ones.

Run: python -m emotag.tracking.correspondence --head makehuman.safetensors --out makehuman_landmarks.json
"""

import argparse
import logging
from dataclasses import dataclass, replace
from pathlib import Path

import mediapipe
import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from emotag.geometry.camera import Camera
from emotag.head import landmark_sets
from emotag.head.arkit import ArkitHead
from emotag.head.landmark_embedding import LandmarkEmbedding
from emotag.head.models import load
from emotag.render import mesh
from emotag.tracking.plain_appearance import random_background, random_palette, surface_colours
from emotag.types import LANDMARKS

log = logging.getLogger(__name__)

VIEWS, SEED = 480, 11
COARSE_VIEWS = 160
SIZE_PX, FOCAL_PX, DISTANCE_M = 448, 900.0, 0.75
FACING, MIN_SHARE = 0.15, 0.3
NEAREST_VERTICES, SUBDIVISION = 4, 7
# The kinds of surface a point can lie on.
LIP_PARTS = ("lips", "mouth_interior", "skin")
FACE_PARTS = ("skin", "lips", "eyelids", "brows", "ears", "neck", "scalp")


@dataclass(frozen=True)
class Views:
    """`vertices` [R, V, 3] m camera frame, `normals` [R, V, 3], `points` [R, 478, 2] px of R pictures with a face."""

    vertices: np.ndarray
    normals: np.ndarray
    points: np.ndarray
    camera: Camera


def random_pose(head: ArkitHead, random: np.random.Generator) -> np.ndarray:
    """Posed vertices [V, 3] m of a random person with a random expression, gaze and head pose."""

    def row(values: np.ndarray | list[float]) -> torch.Tensor:
        return torch.as_tensor(np.asarray(values, np.float32))[None]

    units = random.beta(0.5, 2.5, len(head.expression_names)) * (random.random(len(head.expression_names)) < 0.2)
    for i, name in enumerate(head.expression_names):
        if name.endswith("Right"):
            units[i] = 0.8 * units[head.unit(name.removesuffix("Right") + "Left")] + 0.2 * units[i]
    jaw = [head.jaw_limits[0] * random.beta(0.6, 1.5), head.jaw_limits[1] * random.normal(0, 0.3), 0.0]
    gaze = random.normal(0, [0.1, 0.2])
    rotation = random.normal(0, [0.15, 0.3, 0.1])
    vertices = head.vertices(
        row(random.normal(0, 0.6, head.shape_size)), row(units), row(jaw), row([0, 0, 0]),
        row([*gaze, 0, *gaze, 0]), row(rotation), row([*random.normal(0, 0.01, 2), -DISTANCE_M]),
    )  # fmt: skip
    return vertices[0].numpy()


def make_views(head: ArkitHead, count: int = VIEWS, seed: int = SEED) -> Views:
    """Draw `count` pictures and detect; pictures without a detected face are left out."""
    random = np.random.default_rng(seed)
    camera = Camera(FOCAL_PX, FOCAL_PX, SIZE_PX / 2, SIZE_PX / 2, SIZE_PX, SIZE_PX)
    # The lash strips are thick and opaque; drawn, they would pull the lids' contours off the lids.
    drawn = (~head.face_regions["lashes"]).nonzero()[:, 0].numpy()
    faces = head.faces.numpy()
    kept: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    with mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.5
    ) as detector:
        for _ in range(count):
            vertices = random_pose(head, random)
            frame = mesh.rasterise(vertices, faces[drawn], camera)
            frame = replace(frame, face_index=np.where(frame.covered, drawn[frame.face_index], -1))
            colours = surface_colours(frame, head, random_palette(random))
            light = (*random.normal(0, 0.6, 2), 1.0)
            background = random_background(random, SIZE_PX)
            picture = mesh.shade(frame, vertices, faces, colours, light=light, background=background)
            found = detector.process((picture * 255).astype(np.uint8)).multi_face_landmarks
            if found:
                points = np.array([[p.x * SIZE_PX, p.y * SIZE_PX] for p in found[0].landmark])
                kept.append((vertices, mesh.vertex_normals(vertices, faces), points))
    log.info("a face was found in %d of %d pictures", len(kept), count)
    vertices, normals, points = (np.stack(part).astype(np.float32) for part in zip(*kept, strict=True))
    return Views(vertices, normals, points, camera)


def distances(views: Views, points: np.ndarray, positions: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Median distance [C] m of C candidates to detections of one point (inf where too seldom facing the camera).

    Args: `points` [R, 2] px, `positions` [R, C, 3] m, `normals` [R, C, 3].
    """
    camera = views.camera
    depth = -positions[..., 2]
    x = camera.cx + camera.fx * positions[..., 0] / depth - points[:, None, 0]
    y = camera.cy - camera.fy * positions[..., 1] / depth - points[:, None, 1]
    metres = np.hypot(x, y) * depth / camera.fx
    view = -positions / np.linalg.norm(positions, axis=-1, keepdims=True)
    facing = (normals * view).sum(-1) > FACING * np.linalg.norm(normals, axis=-1)
    enough = facing.mean(0) >= MIN_SHARE
    median = np.full(metres.shape[1], np.inf)
    if enough.any():
        median[enough] = np.nanmedian(np.where(facing, metres, np.nan)[:, enough], axis=0)
    return median


def allowed_faces(head: ArkitHead, point: int) -> np.ndarray:
    """Triangles [F] bool on which the point may lie."""
    if point in landmark_sets.RIGHT_IRIS + landmark_sets.LEFT_IRIS:
        parts: tuple[str, ...] = ("eyeballs",)
    elif point in landmark_sets.OUTER_LIPS + landmark_sets.INNER_LIPS:
        parts = LIP_PARTS
    elif point in landmark_sets.SETS["upper lids"] + landmark_sets.SETS["lower lids"]:
        parts = ("eyelids",)
    else:
        parts = FACE_PARTS
    return torch.stack([head.face_regions[part] for part in parts]).any(0).numpy()


def locate(head: ArkitHead, views: Views, point: int) -> tuple[np.ndarray, np.ndarray, float]:
    """Best surface point of one landmark: vertex numbers [3], barycentric weights [3], median distance m."""
    faces = head.faces.numpy()[allowed_faces(head, point)]
    detected = views.points[:, point]
    vertices = np.unique(faces)
    some = slice(COARSE_VIEWS)
    coarse = distances(views, detected[some], views.vertices[some, vertices], views.normals[some, vertices])
    best = vertices[np.argsort(coarse)[:NEAREST_VERTICES]]
    around = faces[np.isin(faces, best).any(1)]
    weights = barycentric_grid(SUBDIVISION)
    positions = np.einsum("gc,rfcd->rfgd", weights, views.vertices[:, around]).reshape(len(detected), -1, 3)
    normals = np.einsum("gc,rfcd->rfgd", weights, views.normals[:, around]).reshape(len(detected), -1, 3)
    fine = distances(views, detected, positions, normals)
    choice = int(fine.argmin())
    return around[choice // len(weights)], weights[choice % len(weights)], float(fine[choice])


def barycentric_grid(subdivision: int) -> np.ndarray:
    """Regular barycentric samples [G, 3] of a triangle, corners included; rows sum to 1."""
    rows = [(i, j, subdivision - i - j) for i in range(subdivision + 1) for j in range(subdivision + 1 - i)]
    return np.array(rows, np.float32) / subdivision


def embed(head: ArkitHead, views: Views) -> LandmarkEmbedding:
    """Locate all 478 points; offsets start at zero."""
    log.info("searching the surface")
    located = [locate(head, views, point) for point in range(LANDMARKS)]
    triangles, weights, spread = (np.array(part) for part in zip(*located, strict=True))
    return LandmarkEmbedding(
        torch.as_tensor(triangles),
        torch.as_tensor(weights, dtype=torch.float32),
        torch.zeros(LANDMARKS, 3),
        torch.as_tensor(spread, dtype=torch.float32),
    )


def symmetrise(head: ArkitHead, embedding: LandmarkEmbedding) -> LandmarkEmbedding:
    """Move every point to the surface nearest to the middle between it and its partner's mirror image.

    Partners are found by the assignment of least squared distance between the points and their reflection. Distances
    are taken with the jaw open, so that the lips are apart.
    """
    jaw = torch.tensor([[head.jaw_limits[0] / 2, 0.0, 0.0]])
    zeros = [torch.zeros(1, size) for size in (head.shape_size, len(head.expression_names), 3, 6)]
    vertices = head.vertices(zeros[0], zeros[1], jaw, zeros[2], zeros[3], zeros[2], zeros[2])
    points = embedding.surface_points(vertices)[0].numpy()
    mirrored = points * np.array([-1, 1, 1])
    _, partner = linear_sum_assignment(cdist(points, mirrored, "sqeuclidean"))
    weights = barycentric_grid(2 * SUBDIVISION)
    samples = np.einsum("gc,fcd->fgd", weights, vertices[0].numpy()[head.faces.numpy()])
    triangles, barycentric = [], []
    for point in range(LANDMARKS):
        target = (points[point] + mirrored[partner[point]]) / 2
        distance = np.linalg.norm(samples - target, axis=2)
        distance[~allowed_faces(head, point)] = np.inf
        face, sample = np.unravel_index(distance.argmin(), distance.shape)
        triangles.append(head.faces[face])
        barycentric.append(torch.as_tensor(weights[sample]))
    return replace(embedding, triangles=torch.stack(triangles), barycentric=torch.stack(barycentric))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--head", type=Path, required=True, help="head model made by the head stage")
    parser.add_argument("--out", type=Path, required=True, help="JSON table to write")
    parser.add_argument("--views", type=int, default=VIEWS)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO)
    head = load(arguments.head)
    views = make_views(head, arguments.views)
    embedding = symmetrise(head, embed(head, views))
    log.info("median spread %.2f mm", 1000 * float(embedding.spread.median()))
    embedding.save(arguments.out, head.name, f"{len(views.points)} pictures of the mesh, seed {SEED}; offsets zero")


if __name__ == "__main__":
    main()
