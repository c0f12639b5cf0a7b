"""The summary of an identity: that of its first drive, with those of all its drives beside it.

Reads: summary.json of every drive. Writes: results/summary/<identity>.json.
"""

import json
from pathlib import Path

from emotag import stage
from emotag.io.artifact import write_json


def run(*, summaries: list[Path], out: Path) -> None:
    """Gather the drives of one identity, the first one foremost."""
    read = [json.loads(path.read_text(encoding="utf-8")) for path in summaries]
    write_json(
        out, read[0] | {"drives": {content["drive"]: str(path) for content, path in zip(read, summaries, strict=True)}}
    )


if __name__ == "__main__":
    stage.main(run)
