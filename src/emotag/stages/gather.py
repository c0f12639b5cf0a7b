"""The summary of an identity: that of its first drive, with those of all its drives beside it.

Reads: summary.json of every drive. Writes: results/summary/<identity>.json.
"""

from pathlib import Path

from emotag import stage
from emotag.io.artifact import read_json, write_json


def run(*, summaries: list[Path], out: Path) -> None:
    """Gather the drives of one identity, the first one foremost."""
    read = [read_json(path) for path in summaries]
    write_json(
        out, read[0] | {"drives": {content["drive"]: str(path) for content, path in zip(read, summaries, strict=True)}}
    )


if __name__ == "__main__":
    stage.main(run)
