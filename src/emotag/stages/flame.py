"""FLAME's official pickle (2020, 2023, 2023 Open) to head/<name>.safetensors, without running anything in it.

Reads the pickle (`emotag.head.flame_source`), the MakeHuman head that gives it names, and where they are there FLAME's own
landmarks (`emotag.head.flame_landmarks`) and vertex masks; writes `FlameHeadData`. FLAME is non-commercial but for the Open
edition (CC BY 4.0).
"""

import logging
from pathlib import Path

from emotag import stage
from emotag.config import HeadConfig
from emotag.head import flame_landmarks, flame_source
from emotag.head.arkit import ArkitHead
from emotag.head.arkit_data import ArkitData
from emotag.head.flame_build import build
from emotag.io.stamps import stamp

log = logging.getLogger(__name__)


def run(
    *, model: Path, makehuman: Path, landmarks: list[Path], masks: list[Path], name: str, out: Path, config: HeadConfig
) -> None:
    """Convert one pickle.

    Args: `landmarks` mediapipe_landmark_embedding.npz, landmark_embedding.npy (the first is taken) and `masks` FLAME_masks.pkl,
    or nothing.

    Raises:
        AssetMissing, ArtifactMismatch: a file is not there, holds more than arrays, or is not FLAME's.
    """
    source = flame_source.read(model)
    anchors = flame_landmarks.read(landmarks[0]) if landmarks else None
    regions = flame_source.read_masks(masks[0]) if masks else None
    data = build(source, ArkitHead(ArkitData.load(makehuman)), name, config.expressions, anchors, regions)
    data.save(out, stage.provenance() | {"edition": source.edition} | stamp(model, *landmarks[:1], *masks[:1]))
    upper = sum(channel.startswith("upper") for channel in data.expression_names)
    log.info(
        "%s: %d vertices, %d faces, %d identity components; %d channels of the upper and %d of the lower face",
        name, len(data.neutral), len(data.faces), len(data.shape_basis), upper, len(data.expression_names) - upper,
    )  # fmt: skip


if __name__ == "__main__":
    stage.main(run)
