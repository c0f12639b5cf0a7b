"""Photometric refinement of the head's pose against the person's avatar, frame by frame.

Landmarks alone leave about .01 rad and 2 mm open, which moves hair and ears by several pixels. The avatar drawn over the
plate is compared with the frame in the head's area, and Gauss-Newton moves the six numbers of the pose; the Jacobian
comes from central differences (forward ones drift, as each frame starts where the one before ended). Mouth and eyes are
left out of the comparison: nothing but the pose can be learnt here.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numba import njit
from torch import Tensor

from emotag.gaussians.deformer import RiggedDeformer
from emotag.gaussians.rigid import StillFace
from emotag.geometry.camera import Camera
from emotag.motion.codes import Codes
from emotag.render.base import Renderer

# One unit of each pose number (rad, m): what a landmark fit is typically off by, and the difference step.
UNITS = (0.004, 0.004, 0.004, 0.0008, 0.0008, 0.002)
# Colour distance 0 to 1 beyond which a pixel pulls no harder (Huber): hair in motion, a hand, another light.
KNEE = 0.1
LONGEST_STEP = 6.0
# Pull towards the landmarks' pose, in squared colour distances summed over pixels a unit squared: where pictures say little
# (weak texture, pitch against height) errors must not add up from frame to frame.
PULL = 0.1
# A step smaller than this in every number (units) is the last: what would follow is a third of it, and no error of a fit.
SETTLED = 0.05
# No correction is larger (units): beyond it is no longer the error of a landmark fit.
LARGEST = 12.0
# Pixels are compared after a mean over squares of this edge.
POOL = 2


@dataclass(frozen=True)
class View:
    """A frame as it is compared, at the K squares of `POOL` px that have any weight.

    `rows`, `columns` [K] of the squares, `target` [K, 3], `weight` [K, 1] 0 to 1, `plate` [H, W, 3].
    """

    rows: Tensor
    columns: Tensor
    target: Tensor
    weight: Tensor
    plate: Tensor

    @classmethod
    def of(cls, image: Tensor, plate: Tensor, weight: Tensor) -> Self:
        """From [H, W, 3] 0 to 1 twice and [H, W] 0 to 1."""
        height, width = (size // POOL for size in weight.shape)
        shared = weight[: POOL * height, : POOL * width].reshape(height, POOL, width, POOL).mean((1, 3))
        rows, columns = shared.nonzero(as_tuple=True)
        target = means_over(image[None], torch.ones(1, *weight.shape), image, rows, columns)[0]
        return cls(rows, columns, target, shared[rows, columns][:, None], plate)


@dataclass(frozen=True)
class PoseRefinement:
    """At most `steps` of Gauss-Newton with one `deformer`, `renderer` and `camera`; the Jacobian is renewed every `renewal`
    steps."""

    deformer: RiggedDeformer
    renderer: Renderer
    camera: Camera
    steps: int
    renewal: int = 4
    pull: float = PULL

    def fit(self, codes: Codes, image: Tensor, plate: Tensor, weight: Tensor, start: Tensor) -> Tensor:
        """Correction [6] (axis-angle rad, m; add it to the pose) of one frame.

        Args:
            codes: one frame, B = 1.
            image, plate: [H, W, 3] 0 to 1 of the camera's size.
            weight: [H, W] 0 to 1, the head but mouth and eyes.
            start: [6] correction of the frame before.
        """
        units = torch.tensor(UNITS)
        view = View.of(image, plate, weight)
        # A start that carried an error on would let it grow from frame to frame: the landmarks' pose competes with it.
        starts = torch.stack([start / units, torch.zeros(6)])
        face = self.deformer.still(codes)
        residuals = self.draw(face, codes, starts * units, view) - view.target
        best = min(range(2), key=lambda i: cost(residuals[i], view.weight))
        state, residual = starts[best], residuals[best]
        half = torch.eye(6) / 2
        for step in range(self.steps):
            if step > 0:
                residual = self.draw(face, codes, state[None] * units, view)[0] - view.target
            if step % self.renewal == 0:
                drawn = self.draw(face, codes, torch.cat([state + half, state - half]) * units, view)
                jacobian = (drawn[:6] - drawn[6:]).reshape(6, -1)
            weighted = jacobian * robust(residual, view.weight).expand_as(residual).reshape(-1)
            normal = weighted @ jacobian.T + self.pull * torch.eye(6)
            slope = weighted @ residual.reshape(-1) + self.pull * state
            change = torch.linalg.solve(normal, slope).clamp(-LONGEST_STEP, LONGEST_STEP)
            state = (state - change).clamp(-LARGEST, LARGEST)
            if change.abs().max() < SETTLED:
                break
        return state * units

    def draw(self, face: StillFace, codes: Codes, corrections: Tensor, view: View) -> Tensor:
        """What the squares of `view` show [n, K, 3] of a `face` (of one frame's `codes`) under `corrections` [n, 6]."""
        posed = codes[torch.zeros(len(corrections), dtype=torch.long)]
        posed = posed.shifted(corrections[:, :3], corrections[:, 3:])
        shown = []
        # Drawn one after the other: a batch of pictures would not stay in the processor's cache.
        for splats in face.at(posed.rotation, posed.translation, self.deformer.mesh(posed)):
            frame = self.renderer.render(splats, self.camera)
            shown.append(means_over(frame.colour, frame.alpha, view.plate, view.rows, view.columns))
        return torch.cat(shown)


def robust(residual: Tensor, shared: Tensor) -> Tensor:
    """[K, 1] weights of the squares of a `residual` [K, 3] (Huber), times `shared` [K, 1]."""
    return shared / (residual.abs().mean(-1, keepdim=True) / KNEE).clamp_min(1)


def cost(residual: Tensor, shared: Tensor) -> float:
    """Weighted squares of a residual [K, 3]."""
    return float((robust(residual, shared) * residual**2).sum())


def means_over(colour: Tensor, alpha: Tensor, plate: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Means over squares of `POOL` px at `rows` and `columns` [K] of pictures drawn over black, `colour` [n, H, W, 3] and
    `alpha` [n, H, W], put over `plate` [H, W, 3]: [n, K, 3]."""
    out = np.empty((len(colour), len(rows), 3), np.float32)
    sum_squares(*(tensor.numpy() for tensor in (colour, alpha, plate, rows, columns)), out)
    return torch.from_numpy(out)


@njit(cache=True, nogil=True, error_model="numpy")
def sum_squares(colour, alpha, plate, rows, columns, out):
    """The kernel of `means_over`; `out` [n, K, 3] is written."""
    for n in range(colour.shape[0]):
        for k in range(rows.size):
            red, green, blue = np.float32(0), np.float32(0), np.float32(0)
            for y in range(POOL * rows[k], POOL * rows[k] + POOL):
                for x in range(POOL * columns[k], POOL * columns[k] + POOL):
                    clear = np.float32(1) - alpha[n, y, x]
                    red += colour[n, y, x, 0] + clear * plate[y, x, 0]
                    green += colour[n, y, x, 1] + clear * plate[y, x, 1]
                    blue += colour[n, y, x, 2] + clear * plate[y, x, 2]
            share = np.float32(1) / np.float32(POOL * POOL)
            out[n, k, 0], out[n, k, 1], out[n, k, 2] = red * share, green * share, blue * share
