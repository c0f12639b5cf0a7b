"""What the networks made of the synthetic clips, as a table: one row an emotion and level, and one for all.

Reads: realism.json of every clip. Writes: CSV; every value is a mean over clips.
"""

from pathlib import Path

import pandas as pd

from emotag import stage
from emotag.io.artifact import read_json, write_atomic

MEANS = (
    "face_found", "matte_iou", "head_iou", "hair_iou", "teacher_agrees", "teacher_probability", "scorer_agrees",
    "scorer_probability",
)  # fmt: skip


def run(*, clips: list[Path], out: Path) -> None:
    """Gather the clips."""
    table = pd.DataFrame([read_json(path, *MEANS) for path in clips])
    groups = table.groupby(["emotion", "level"])
    rows = groups[list(MEANS)].mean().assign(clips=groups.size()).reset_index()
    whole = pd.DataFrame([{"emotion": "all", "level": "", **table[list(MEANS)].mean(), "clips": len(table)}])
    rows = pd.concat([rows, whole])[["emotion", "level", "clips", *MEANS]]
    write_atomic(out, rows.round(3).to_csv(index=False).encode())


if __name__ == "__main__":
    stage.main(run)
