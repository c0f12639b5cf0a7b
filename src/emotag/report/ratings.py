"""Ratings of a user study to a table: mean by method, with intervals over raters and contents.

Both raters and contents are drawn anew in every resample (the pigeonhole bootstrap, Owen 2007): ratings of one person, and
of one clip, hang together, so drawing single ratings would make the intervals too narrow.
"""

import csv
import io
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from emotag.errors import ArtifactMismatch
from emotag.io.csv_files import read_csv

LABELS = {
    "emotion": "mean rating of how well the face shows the emotion that is heard, 1 (not at all) to 5 (fully)",
    "lip_sync": "mean rating of how well the lips fit the sound, 1 (not at all) to 5 (fully)",
    "realism": "mean rating of how real the video looks, 1 (not real) to 5 (like a camera's)",
}
COLUMN = "rating_{}"
LEVEL = 0.95


def read(paths: Iterable[Path], key: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows {rater, method, content, question: 1 to 5} of the raters' files.

    Raises:
        ArtifactMismatch: a file cannot be read or is of another study, names an unknown clip, rates beyond 1 to 5 or twice.
    """
    rows, seen = [], {}
    for path in paths:
        header, *lines = read_csv(path) or [[]]
        for number, line in enumerate(lines, 2):
            row = dict(zip(header, line, strict=False))
            where = f"{path}, line {number}"
            if row.get("study") != key["study"]:
                raise ArtifactMismatch(f"{where}: is of study {row.get('study')}, expected {key['study']}; take it out")
            clip = key["clips"].get(row.get("clip"))
            if clip is None:
                raise ArtifactMismatch(f"{where}: found clip {row.get('clip')!r}, which is not in the key; take it out")
            job = (row.get("rater"), row["clip"])
            if job in seen:
                raise ArtifactMismatch(f"{where}: {job[0]} rated {job[1]} in {seen[job]} already; keep one of them")
            seen[job] = str(path)
            marks = {name: mark(row.get(name), name, where) for name in key["questions"]}
            rows.append({"rater": job[0], "method": clip["method"], "content": clip["content"], **marks})
    return rows


def mark(text: str | None, name: str, where: str) -> int:
    """A rating of 1 to 5."""
    if text not in ("1", "2", "3", "4", "5"):
        raise ArtifactMismatch(f"{where}: found {name} {text!r}, expected 1 to 5; take the line out")
    return int(text)


def interval(marks: np.ndarray, generator: np.random.Generator, resamples: int) -> tuple[float, float]:
    """Percentile interval of the mean of `marks` [raters, contents] (NaN: not rated), drawing raters and contents anew.

    Of a single content the interval is over raters alone; NaN twice with fewer than two raters: nothing then says how much
    they differ.
    """
    raters, contents = marks.shape
    if raters < 2:
        return math.nan, math.nan
    rated = np.isfinite(marks)
    filled = np.where(rated, marks, 0.0)
    by_rater = generator.multinomial(raters, np.full(raters, 1 / raters), resamples)
    by_content = generator.multinomial(contents, np.full(contents, 1 / contents), resamples)
    total = np.einsum("br,rc,bc->b", by_rater, filled, by_content)
    count = np.einsum("br,rc,bc->b", by_rater, rated, by_content)
    means = total[count > 0] / count[count > 0]
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def table(rows: list[dict[str, Any]], key: Mapping[str, Any], seed: int, resamples: int) -> tuple[str, dict[str, Any]]:
    """CSV and sidecar of the finished table: one row a method, in the order of their names, the ground truth first.

    Raises:
        ArtifactMismatch: there are no ratings.
    """
    if not rows:
        raise ArtifactMismatch(
            "no ratings were found; put the raters' CSV files into the folder that study.ratings names"
        )
    raters = sorted({row["rater"] for row in rows})
    contents = sorted({clip["content"] for clip in key["clips"].values()})
    methods = sorted({row["method"] for row in rows}, key=lambda name: (name != "ground_truth", name))
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [COLUMN.format(question) for question in key["questions"]]
    writer.writerow(["variant", *(f"{name}{end}" for name in names for end in ("", "_low", "_high"))])
    for method in methods:
        cells = []
        for question in key["questions"]:
            marks = np.full((len(raters), len(contents)), np.nan)
            for row in rows:
                if row["method"] == method:
                    marks[raters.index(row["rater"]), contents.index(row["content"])] = row[question]
            # The same draws for every cell: rows of one table are compared on the same resamples.
            bounds = interval(marks, np.random.default_rng(seed), resamples)
            cells += [
                f"{number:.4f}" if math.isfinite(number) else "" for number in (float(np.nanmean(marks)), *bounds)
            ]
        writer.writerow([method, *cells])
    columns = {
        COLUMN.format(q): {"unit": "1 to 5", "higher_is_better": True, "definition": LABELS[q]}
        for q in key["questions"]
    }
    facts = {
        "caption": f"User study, 1 to 5 (raters: {len(raters)}, contents: {len(contents)}, ratings of each kind: {len(rows)}); "
        f"{LEVEL:.0%} bootstrap intervals over raters{' and contents' if len(contents) > 1 else ''}",
        "columns": columns,
        "split": f"study {key['study']}",
        "raters": len(raters),
    }
    return out.getvalue(), facts
