"""The head models there are, told apart by the kind that stands in their files."""

from collections.abc import Callable
from pathlib import Path

import torch

from emotag.errors import ArtifactMismatch
from emotag.head.arkit import ArkitHead
from emotag.head.arkit_data import ArkitData
from emotag.head.base import HeadModel
from emotag.head.flame_data import FlameHeadData
from emotag.head.flame_head import FlameHead
from emotag.io.artifact import read_tensors

READERS: dict[str, Callable[[Path, str | torch.device], HeadModel]] = {
    ArkitData.KIND: lambda path, device: ArkitHead(ArkitData.load(path), device),
    FlameHeadData.KIND: lambda path, device: FlameHead(FlameHeadData.load(path), device),
}


def load(path: Path, device: str | torch.device = "cpu") -> HeadModel:
    """Read a head model made by the head stage.

    Raises:
        ArtifactMismatch: the file is missing, broken or no head model.
    """
    kind = read_tensors(path)[0].get("kind")
    if kind not in READERS:
        raise ArtifactMismatch(
            f"{path}: found kind {kind!r}, expected a head model ({', '.join(READERS)}); run the rule that makes it"
        )
    return READERS[kind](path, device)
