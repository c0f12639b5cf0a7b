"""Photometric refinement of the head's pose against the person's avatar, frame by frame.

Landmarks alone leave about .01 rad and 2 mm open, which moves hair and ears by several pixels. The avatar drawn over the
plate is compared with the frame in the head's area, and Gauss-Newton moves the six numbers of the pose; the Jacobian
comes from central differences (forward ones drift, as each frame starts where the one before ended). Mouth and eyes are
left out of the comparison: nothing but the pose can be learnt here.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from emotag.gaussians.deformer import RiggedDeformer
from emotag.geometry.camera import Camera
from emotag.motion.codes import Codes
from emotag.render.base import Renderer
from emotag.render.compose import over

# One unit of each pose number (rad, m): what a landmark fit is typically off by, and the difference step.
UNITS = (0.004, 0.004, 0.004, 0.0008, 0.0008, 0.002)
# Colour distance 0 to 1 beyond which a pixel pulls no harder (Huber): hair in motion, a hand, another light.
KNEE = 0.1
LONGEST_STEP = 6.0
# Pull towards the landmarks' pose, in squared colour distances summed over pixels a unit squared: where pictures say little
# (weak texture, pitch against height) errors must not add up from frame to frame.
PULL = 0.1
# No correction is larger (units): beyond it is no longer the error of a landmark fit.
LARGEST = 12.0
# Pixels are compared after a mean over squares of this edge.
POOL = 2


@dataclass(frozen=True)
class PoseRefinement:
    """`steps` of Gauss-Newton with one `deformer`, `renderer` and `camera`; the Jacobian is renewed every `renewal` steps."""

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
        target, shared = pooled(image[None])[0], pooled(weight[None, ..., None])[0]
        # A start that carried an error on would let it grow from frame to frame: the landmarks' pose competes with it.
        starts = torch.stack([start / units, torch.zeros(6)])
        residuals = self.draw(codes, starts * units, plate) - target
        best = min(range(2), key=lambda i: cost(residuals[i], shared))
        state, residual = starts[best], residuals[best]
        half = torch.eye(6) / 2
        for step in range(self.steps):
            if step > 0:
                residual = self.draw(codes, state[None] * units, plate)[0] - target
            if step % self.renewal == 0:
                drawn = self.draw(codes, torch.cat([state + half, state - half]) * units, plate)
                jacobian = (drawn[:6] - drawn[6:]).reshape(6, -1)
            weighted = jacobian * robust(residual, shared).expand_as(residual).reshape(-1)
            normal = weighted @ jacobian.T + self.pull * torch.eye(6)
            slope = weighted @ residual.reshape(-1) + self.pull * state
            change = torch.linalg.solve(normal, slope).clamp(-LONGEST_STEP, LONGEST_STEP)
            state = (state - change).clamp(-LARGEST, LARGEST)
        return state * units

    def draw(self, codes: Codes, corrections: Tensor, plate: Tensor) -> Tensor:
        """Pictures [n, h, w, 3] of one frame's `codes` under `corrections` [n, 6] over the plate, pooled."""
        posed = codes[torch.zeros(len(corrections), dtype=torch.long)]
        posed = posed.shifted(corrections[:, :3], corrections[:, 3:])
        return pooled(over(self.renderer.render(self.deformer(posed, mouth_moves=False), self.camera), plate))


def robust(residual: Tensor, shared: Tensor) -> Tensor:
    """[h, w, 1] weights of the pixels of a `residual` [h, w, 3] (Huber), times `shared` [h, w, 1]."""
    return shared / (residual.abs().mean(-1, keepdim=True) / KNEE).clamp_min(1)


def cost(residual: Tensor, shared: Tensor) -> float:
    """Weighted squares of a residual [h, w, 3]."""
    return float((robust(residual, shared) * residual**2).sum())


def pooled(pictures: Tensor) -> Tensor:
    """Means over squares of `POOL` pixels of [n, H, W, C]."""
    return avg_pool2d(pictures.permute(0, 3, 1, 2), POOL).permute(0, 2, 3, 1)
