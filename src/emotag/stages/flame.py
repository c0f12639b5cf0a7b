"""FLAME's official pickle (2020, 2023, 2023 Open) to head/<edition>.flame.safetensors, without running anything in it.

Reads the pickle (`emotag.head.flame_source`), writes `FlameData`. FLAME is non-commercial but for the Open edition (CC BY 4.0).
"""

import logging
from pathlib import Path

from emotag import stage
from emotag.head import flame_source

log = logging.getLogger(__name__)


def run(*, model: Path, out: Path) -> None:
    """Convert one pickle.

    Raises:
        AssetMissing, ArtifactMismatch: it is not there, holds more than arrays, or is no FLAME model.
    """
    data = flame_source.read(model)
    data.save(out, stage.provenance())
    components = f"{len(data.shape_basis)} identity and {len(data.expression_basis)} expression components"
    log.info("%s: %d vertices, %d faces, %s", data.edition, len(data.neutral), len(data.faces), components)


if __name__ == "__main__":
    stage.main(run)
