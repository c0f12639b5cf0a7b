"""ICT-FaceKit's files to head/ict.safetensors (emotag.head.ict_source, emotag.head.ict_build).

Reads an archive of the repository and the MakeHuman head that gives it regions; writes `ArkitData`. MIT licence.
"""

import logging
from pathlib import Path

from emotag import stage
from emotag.head import ict_source
from emotag.head.arkit import ArkitHead
from emotag.head.arkit_data import ArkitData
from emotag.head.ict_build import build
from emotag.io.stamps import stamp

log = logging.getLogger(__name__)


def run(*, model: Path, makehuman: Path, out: Path) -> None:
    """Convert the model.

    Raises:
        AssetMissing, ArtifactMismatch: a file is not there, or not of the model's topology.
    """
    data = build(ict_source.read(model), ArkitHead(ArkitData.load(makehuman)))
    data.save(out, stage.provenance() | stamp(*([model] if model.is_file() else [])))
    log.info("%d vertices, %d faces, %d identity components", len(data.neutral), len(data.faces), len(data.shape_basis))


if __name__ == "__main__":
    stage.main(run)
