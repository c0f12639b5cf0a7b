"""Keeps eyeballs behind lids and brows while a shape is fitted.

Landmarks of a frontal face say nothing of depth, so a fitted low brow may sink into the eyeball, which then shows through
the skin. Skin near an eyeball must keep its distance from the eyeball's surface, as far as the mean person has it.
"""

from dataclasses import dataclass

import numpy as np
import torch

from emotag.head.base import HeadModel

NEAR_RADII = 1.7  # skin vertices this near to the eyeball's centre, in its radii
CLEARANCE_M = 3e-3
WEIGHT_PER_M = 4e3  # of a vertex's penetration: 1 mm weighs as much as 4 hundredths of the outer-eye distance
REGIONS = ("skin", "eyelids", "brows")


@dataclass(frozen=True)
class EyeSockets:
    """Clearance of each watched vertex, linear in the shape: `rest` [N] m plus `slope` [N, S] times the shape, which
    should be at least `wanted` [N]."""

    rest: np.ndarray
    slope: np.ndarray
    wanted: np.ndarray
    weight: float

    def cost(self, shape: np.ndarray) -> float:
        """Half the weighted sum of squared penetrations."""
        return 0.5 * self.weight * float((self._penetration(shape) ** 2).sum())

    def normal(self, shape: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Matrix [S, S] and gradient [S] of `cost`."""
        penetration = self._penetration(shape)
        slope = self.slope[penetration < 0]
        return self.weight * slope.T @ slope, self.weight * slope.T @ penetration[penetration < 0]

    def _penetration(self, shape: np.ndarray) -> np.ndarray:
        return np.minimum(self.rest + self.slope @ shape - self.wanted, 0)


@torch.no_grad()
def eye_sockets(head: HeadModel, components: int, frames: int) -> EyeSockets:
    """Clearances of `head`'s skin around both eyeballs for its first `components` shape components, weighted for a fit to
    `frames` frames."""
    shape = torch.zeros(1 + components, head.shape_size)
    shape[1:, :components] = torch.eye(components)
    zero = torch.zeros(len(shape), 3)
    expression, eyes = torch.zeros(len(shape), len(head.expression_names)), torch.zeros(len(shape), 6)
    vertices = head.vertices(shape, expression, zero, zero, eyes, zero, zero).double().numpy()
    mean, change = vertices[0], vertices[1:] - vertices[0]
    regions = {name: mask.cpu().numpy() for name, mask in head.vertex_regions.items()}
    skin = np.flatnonzero(np.any([regions[name] for name in REGIONS], axis=0))
    rest, slope = [], []
    for side in (1, -1):
        ball = np.flatnonzero(regions["eyeballs"] & (side * mean[:, 0] > 0))
        centre, drift = mean[ball].mean(0), change[:, ball].mean(1)
        radius = np.linalg.norm(mean[ball] - centre, axis=1).mean()
        growth = np.linalg.norm(vertices[:, ball] - vertices[:, ball].mean(1, keepdims=True), axis=2).mean(1)
        away = mean[skin] - centre
        distance = np.linalg.norm(away, axis=1)
        near = (distance < NEAR_RADII * radius) & (away[:, 2] > 0)
        direction = away[near] / distance[near, None]
        rest.append(distance[near] - radius)
        moved = np.einsum("snc,nc->ns", change[:, skin[near]] - drift[:, None], direction)
        slope.append(moved - (growth[1:] - growth[0]))
    rest = np.concatenate(rest)
    return EyeSockets(rest, np.concatenate(slope), np.minimum(rest, CLEARANCE_M), frames * WEIGHT_PER_M**2)
