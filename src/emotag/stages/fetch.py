"""One asset of data/assets.yaml to data/assets/<name>, checked by its sha256.

Reads: data/by_hand/<name> where it exists, else the source the manifest names. Writes: the file, atomically.
"""

import logging
from pathlib import Path

from emotag import stage
from emotag.io.assets import Asset, obtain

logger = logging.getLogger(__name__)


def run(*, asset: Asset, by_hand: Path, out: Path) -> None:
    """Fetch one asset.

    Raises:
        AssetMissing: it cannot be had, or has another sha256 than the manifest says.
    """
    obtain(asset, by_hand, out)
    logger.info("%s: %s, licence %s", asset.name, asset.what, asset.licence)


if __name__ == "__main__":
    stage.main(run)
