"""Which clips of the corpus are kept, and why the others are not.

Reads: the judgement of every clip. Writes: CSV, one row a clip: clip, kept, reasons, not_judged and every measure.
"""

import logging
from pathlib import Path

import pandas as pd

from emotag import stage
from emotag.io.artifact import read_json, write_atomic

log = logging.getLogger(__name__)


def run(*, judged: list[Path], out: Path) -> None:
    """Gather the judgements."""
    read = [read_json(path, "clip", "kept", "reasons", "not_judged", "measures") for path in judged]
    rows = [
        {
            "clip": r["clip"],
            "kept": r["kept"],
            "reasons": "; ".join(r["reasons"]),
            "not_judged": "; ".join(r["not_judged"]),
        }
        | r["measures"]
        for r in read
    ]
    write_atomic(out, pd.DataFrame(rows).round(3).to_csv(index=False).encode())
    log.info("%d of %d clips are kept", sum(row["kept"] for row in rows), len(rows))


if __name__ == "__main__":
    stage.main(run)
