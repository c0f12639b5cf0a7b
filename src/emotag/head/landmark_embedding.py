"""MediaPipe's 478 face mesh points as surface points of a head model.

The shipped table was made by `emotag.tracking.correspondence`; a point is a triangle by vertex numbers with barycentric
weights, so it follows every deformation.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from emotag.errors import ArtifactMismatch
from emotag.geometry.rotations import axis_angle_to_matrix
from emotag.io.artifact import write_json
from emotag.types import LANDMARKS


@dataclass(frozen=True)
class LandmarkEmbedding:
    """`triangles` [478, 3] vertex numbers, `barycentric` [478, 3], `offsets` [478, 3] m in the head's frame (systematic
    difference to real faces), `spread` [478] m (median distance of detections from the point: small is reliable).
    """

    triangles: Tensor
    barycentric: Tensor
    offsets: Tensor
    spread: Tensor

    def surface_points(self, vertices: Tensor) -> Tensor:
        """[B, V, 3] to [B, 478, 3], without offsets."""
        return (vertices[:, self.triangles] * self.barycentric[:, :, None]).sum(2)

    def points(self, vertices: Tensor, offsets: Tensor | None = None, rotation: Tensor | None = None) -> Tensor:
        """[B, V, 3] m to [B, 478, 3] m, same frame.

        With `rotation` [B, 3] the embedding's own offsets plus `offsets` [478, 3] m (head's frame) are turned by it and
        added; without it the bare surface points are returned.

        Raises:
            ValueError: offsets are given without the rotation that turns them.
        """
        surface = self.surface_points(vertices)
        if rotation is None:
            if offsets is not None:
                raise ValueError("landmark offsets are in the head's frame: pass the rotation [B, 3] that turns them")
            return surface
        total = self.offsets if offsets is None else self.offsets + offsets
        return surface + total @ axis_angle_to_matrix(rotation).transpose(1, 2)

    def to(self, device: torch.device) -> "LandmarkEmbedding":
        """The same on another device."""
        parts = (self.triangles, self.barycentric, self.offsets, self.spread)
        return LandmarkEmbedding(*(part.to(device) for part in parts))

    def save(self, path: Path, head_model: str, source: str) -> None:
        """Write the JSON table (micrometre precision)."""
        rows = {
            "barycentric": np.round(self.barycentric.double().numpy(), 5),
            "offsets": np.round(self.offsets.double().numpy(), 6),
            "spread": np.round(self.spread.double().numpy(), 6),
        }
        content = {"head_model": head_model, "source": source, "triangles": self.triangles.tolist()}
        write_json(path, content | {name: values.tolist() for name, values in rows.items()})


def load_embedding(path: Path, head_model: str) -> LandmarkEmbedding:
    """Read a table.

    Raises:
        ArtifactMismatch: it belongs to another head model or is incomplete.

    """
    content = json.loads(Path(path).read_text())
    if content.get("head_model") != head_model or len(content.get("triangles", [])) != LANDMARKS:
        raise ArtifactMismatch(
            f"{path}: found {len(content.get('triangles', []))} points for head model {content.get('head_model')!r}, "
            f"expected {LANDMARKS} for {head_model!r}; make it with python -m emotag.tracking.correspondence"
        )
    weights = torch.tensor(content["barycentric"], dtype=torch.float32)
    return LandmarkEmbedding(
        torch.tensor(content["triangles"]),
        weights / weights.sum(1, keepdim=True),
        torch.tensor(content["offsets"], dtype=torch.float32),
        torch.tensor(content["spread"], dtype=torch.float32),
    )


@cache
def shipped_embedding(head_model: str) -> LandmarkEmbedding:
    """The table shipped for a head model."""
    with resources.as_file(resources.files("emotag.head") / f"{head_model}_landmarks.json") as path:
        return load_embedding(path, head_model)
