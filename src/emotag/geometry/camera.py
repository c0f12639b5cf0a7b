"""The pinhole camera.

Convention: metres; the camera sits at the origin and looks down -z, x right, y up (OpenGL); pixels have their origin in
the upper left corner of the upper left pixel, so the centre of that pixel is (0.5, 0.5).
"""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Camera:
    """Focal lengths and principal point in px, image size in px."""

    fx: float
    fy: float
    cx: float
    cy: float
    width: int
    height: int

    def project(self, points: Tensor) -> Tensor:
        """Points [..., 3] in the camera's frame to pixels [..., 2]."""
        depth = -points[..., 2]
        x = self.cx + self.fx * points[..., 0] / depth
        y = self.cy - self.fy * points[..., 1] / depth
        return torch.stack([x, y], dim=-1)

    def resized(self, width: int, height: int) -> "Camera":
        """The same view on another pixel grid."""
        sx, sy = width / self.width, height / self.height
        return Camera(self.fx * sx, self.fy * sy, self.cx * sx, self.cy * sy, width, height)

    def shared(self) -> "Cameras":
        """This camera for any number of frames."""
        lens = torch.tensor([[self.fx, self.fy, self.cx, self.cy]], dtype=torch.float64)
        return Cameras(lens, self.width, self.height)

    def as_dict(self) -> dict[str, float]:
        """For artifacts."""
        return {name: getattr(self, name) for name in ("fx", "fy", "cx", "cy", "width", "height")}

    @classmethod
    def from_dict(cls, values: dict[str, float]) -> "Camera":
        """From an artifact's dictionary."""
        return cls(
            *(float(values[name]) for name in ("fx", "fy", "cx", "cy")), int(values["width"]), int(values["height"])
        )


@dataclass(frozen=True)
class Cameras:
    """A camera for each of B frames (or one for all): `lens` [B or 1, 4] = fx, fy, cx, cy in px; image size in px.

    The lens is a tensor, so it can be learnt; where the camera stands is in the points that it is given.
    """

    lens: Tensor
    width: int
    height: int

    def project(self, points: Tensor) -> Tensor:
        """Points [B, N, 3] in each camera's frame to pixels [B, N, 2]."""
        fx, fy, cx, cy = self.lens.to(points)[:, None].unbind(-1)
        depth = -points[..., 2]
        return torch.stack([cx + fx * points[..., 0] / depth, cy - fy * points[..., 1] / depth], dim=-1)
