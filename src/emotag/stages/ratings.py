"""Raters' files to the table of the user study.

Reads: the CSV files that the study's page saved, and its key. Writes: the finished table (CSV and JSON,
`emotag.report.typeset`).
"""

import shlex
import sys
from pathlib import Path

from emotag import stage
from emotag.config import StudyConfig
from emotag.io.artifact import read_json, write_atomic, write_json
from emotag.report import ratings as rated


def run(*, ratings: list[Path], key: Path, out: Path, out_sidecar: Path, config: StudyConfig) -> None:
    """Aggregate `ratings`."""
    known = read_json(key, "study", "clips", "questions")
    content, facts = rated.table(rated.read(ratings, known), known, config.seed, config.resamples)
    hashes = stage.digests(**{path.name: path for path in [key, *ratings]})
    command = shlex.join(["python", "-m", "emotag.stages.ratings", *sys.argv[1:]])
    write_atomic(out, content.encode())
    write_json(out_sidecar, facts | {"command": command, "hashes": hashes})


if __name__ == "__main__":
    stage.main(run)
