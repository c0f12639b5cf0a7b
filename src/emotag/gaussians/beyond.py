"""Gaussians for what the mesh lacks: hair, ornaments, whatever of the head is seen beyond the mesh's outline.

A plane sweep (Collins, "A space-sweep approach to true multi-image matching", CVPR 1996): pixels of the head outside the
mesh are carried to several depths in the head's frame, and with several shares of the trunk (`emotag.gaussians.trunk`);
where other frames show the same colour at the same place, there it is. Neighbouring pixels decide together.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree
from torch import Tensor

from emotag.errors import FootageError
from emotag.gaussians.cloud import HAIR, GaussianCloud
from emotag.gaussians.placement import COVERAGE, riding
from emotag.gaussians.triangles import triangle_frames
from emotag.gaussians.trunk import Trunk
from emotag.geometry.camera import Camera
from emotag.parts import spread
from emotag.render.mesh import rasterise

# Depths from the plane through the ears, m towards the viewer: hair hangs behind them, a fringe before.
DEPTHS_M = np.arange(-0.12, 0.041, 0.02)
SHARES = np.arange(0.0, 1.01, 0.25)
NEIGHBOURS = 40
# Costs in colour distance 0 to 1: its limit, of a place off the person, of one out of the picture, of a whole share.
FAR, OFF_PERSON, UNSEEN, SHARE_COST = 0.15, 0.3, 0.1, 0.002
SEED_VIEWS = 6


@dataclass(frozen=True)
class View:
    """One frame: `image` [H, W, 3] 0 to 1, `head` and `person` [H, W] bool, posed `vertices` [V, 3] m, `rotation` [3, 3] and
    `translation` [3] m of the head."""

    image: np.ndarray
    head: np.ndarray
    person: np.ndarray
    vertices: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray


@dataclass(frozen=True)
class Points:
    """Where things stand at rest in the head's frame: `positions` [n, 3] m, `colours` [n, 3] 0 to 1, `share` [n] of the
    trunk, `pitch_m` [n], the side of the square that each stands for."""

    positions: np.ndarray
    colours: np.ndarray
    share: np.ndarray
    pitch_m: np.ndarray


def outside(view: View, faces: np.ndarray, camera: Camera) -> np.ndarray:
    """[H, W] bool: the person's head off the mesh."""
    return view.head & view.person & ~rasterise(view.vertices, faces, camera).covered


def sweep(
    views: Sequence[View], faces: np.ndarray, plane_m: float, trunk: Trunk, camera: Camera, density: float, seed: int
) -> Points:
    """Points seen beyond the mesh, `density` of them a pixel of the mean view; `plane_m` is the ears' z in the head's frame.
    They come from a few of the `views`; all of them judge.

    Raises:
        FootageError: no views.
    """
    if not views:
        raise FootageError("adaptation part: found no frame, expected at least one to see the hair in")
    random = np.random.default_rng(seed)
    seeds = [views[i] for i in spread(len(views), SEED_VIEWS)]
    parts = []
    for view in seeds:
        rows, columns = np.nonzero(outside(view, faces, camera))
        count = min(round(len(rows) * density / len(seeds)), len(rows))
        if count:
            chosen = random.choice(len(rows), count, replace=False)
            parts.append(placed(view, rows[chosen], columns[chosen], views, plane_m, trunk, camera))
    if not parts:
        return Points(np.zeros((0, 3)), np.zeros((0, 3)), np.zeros(0), np.zeros(0))
    positions, colours, share, depth = (np.concatenate(values) for values in zip(*parts, strict=True))
    return Points(positions, colours, share, depth / camera.fx / np.sqrt(density))


def placed(view: View, rows, columns, judges: Sequence[View], plane_m: float, trunk: Trunk, camera: Camera) -> tuple:
    """Positions, colours, shares and depths of the pixels at `rows` and `columns` [n]: the cheapest hypothesis of each."""
    pixels = np.stack([columns, rows], -1) + 0.5
    rays = np.stack([(pixels[:, 0] - camera.cx) / camera.fx, (camera.cy - pixels[:, 1]) / camera.fy], -1)
    rays = np.concatenate([rays, -np.ones((len(rays), 1))], -1)
    colours = view.image[rows, columns]
    across = (rays @ view.rotation)[:, 2]
    shift = float(view.translation @ view.rotation[:, 2])
    costs, positions, depths = [], [], []
    for plane in plane_m + DEPTHS_M:
        depth = (plane + shift) / across
        for share in SHARES:
            turn, move = blended(view, share, trunk)
            position = (depth[:, None] * rays - move) @ np.linalg.inv(turn).T
            costs.append(np.mean([cost(position, share, colours, judge, trunk, camera) for judge in judges], 0))
            positions.append(position)
            depths.append(depth)
    near = cKDTree(pixels).query(pixels, k=min(NEIGHBOURS, len(pixels)))[1].reshape(len(pixels), -1)
    shares = np.tile(SHARES, len(DEPTHS_M))
    best = (np.stack(costs, 1)[near].mean(1) + SHARE_COST * shares).argmin(1)
    each = np.arange(len(pixels))
    return np.stack(positions, 1)[each, best], colours, shares[best], np.stack(depths, 1)[each, best]


def blended(view: View, share: float, trunk: Trunk) -> tuple[np.ndarray, np.ndarray]:
    """Rotation [3, 3] and translation [3] of what follows the trunk by `share`."""
    turn = (1 - share) * view.rotation + share * trunk.rotation.numpy()
    return turn, (1 - share) * view.translation + share * trunk.translation.numpy()


def cost(position, share: float, colours: np.ndarray, judge: View, trunk: Trunk, camera: Camera) -> np.ndarray:
    """[n] how unlike `colours` [n, 3] is what `judge` shows where it would see `position` [n, 3]."""
    turn, move = blended(judge, share, trunk)
    seen = camera.project(torch.from_numpy(position @ turn.T + move)).numpy()
    inside = ((seen >= 0) & (seen < (camera.width, camera.height))).all(-1)
    column, row = np.clip(seen, 0, (camera.width - 1, camera.height - 1)).astype(int).T
    distance = np.minimum(np.abs(judge.image[row, column] - colours).mean(-1), FAR)
    distance[~judge.person[row, column]] = OFF_PERSON
    distance[~inside] = UNSEEN
    return distance


def cloud_of(points: Points, vertices: Tensor, faces: Tensor, carriers: Tensor, sh_degree: int) -> GaussianCloud:
    """Gaussians of region `hair`, each on the nearest of the triangles `carriers` [F] bool of the mesh at rest [V, 3]."""
    positions = torch.from_numpy(points.positions).float()
    chosen = torch.nonzero(carriers).squeeze(-1)
    centres = vertices[faces[chosen]].mean(1)
    triangle = chosen[torch.from_numpy(cKDTree(centres.numpy()).query(points.positions)[1])]
    frames = triangle_frames(vertices, faces[triangle])
    size = torch.log(COVERAGE * torch.from_numpy(points.pitch_m).float() / frames.size)
    colours, share = torch.from_numpy(points.colours).float(), torch.from_numpy(points.share).float()
    region = torch.full((len(triangle),), HAIR)
    return riding(positions, colours, size[:, None].repeat(1, 3), frames, triangle, region, sh_degree, share)
