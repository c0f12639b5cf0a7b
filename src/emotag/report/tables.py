"""Metric rows in long form, and the tables made of them. A missing value is a dash, never a zero."""

import io
import math
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from emotag.io.artifact import write_atomic
from emotag.metrics.base import METRICS

COLUMNS = (
    "variant", "identity", "clip", "metric", "value", "unit", "higher_is_better", "definition", "split", "crop", "providers",
    "seed",
)  # fmt: skip
MISSING = "–"


def metric_rows(scores: dict[str, float], **labels: object) -> list[dict[str, object]]:
    """One row a metric; `labels` are variant, identity, clip, split, crop, providers, seed."""
    rows = []
    for name, value in scores.items():
        metric = METRICS[name]
        rows.append(
            {
                **labels,
                "metric": name,
                "value": float(value),
                "unit": metric.unit,
                "higher_is_better": metric.higher_is_better,
                "definition": metric.definition,
            }
        )
    return rows


def write_rows(
    path: Path, scores: Mapping[str, Mapping[str, float]], made_with: Mapping[str, object], **labels: object
) -> None:
    """A metrics.parquet of the scores of every variant, as `metric_rows`; `labels` are all of its but the variant. `made_with`,
    what identifies the files of the networks among the metrics, is kept as its attributes
    (`pandas.read_parquet(path).attrs`)."""
    rows = [row for variant, found in scores.items() for row in metric_rows(found, variant=variant, **labels)]
    table, buffer = pd.DataFrame(rows), io.BytesIO()
    table.attrs = dict(made_with)
    table.to_parquet(buffer, index=False)
    write_atomic(path, buffer.getvalue())


def wide(rows: pd.DataFrame) -> pd.DataFrame:
    """Variants as rows in their order of appearance, metrics as columns in the order they are declared.

    Raises:
        ValueError: rows of different splits would stand in one column.
    """
    if rows["split"].nunique() > 1:
        raise ValueError(f"rows of different splits cannot stand in one table: {sorted(rows['split'].unique())}")
    order = [name for name in METRICS if name in set(rows["metric"])]
    table = rows.pivot_table(index="variant", columns="metric", values="value", sort=False, dropna=False)
    return table.reindex(index=list(dict.fromkeys(rows["variant"])), columns=order)


def cell(value: float) -> str:
    """Three significant places for print; a dash for what is not there."""
    if value is None or math.isnan(value):
        return MISSING
    if math.isinf(value):
        return "∞"
    return f"{value:.2f}" if abs(value) >= 10 else f"{value:.3f}"


def markdown(table: pd.DataFrame, caption: str) -> str:
    """A Markdown table with units and arrows in the header and every definition under it."""
    header = ["variant", *(METRICS[name].heading() for name in table.columns)]
    lines = [caption, "", "| " + " | ".join(header) + " |", "| --- " + "| ---: " * len(table.columns) + "|"]
    for variant, row in table.iterrows():
        lines.append("| " + " | ".join([str(variant), *(cell(value) for value in row)]) + " |")
    definitions = [f"- `{name}`: {METRICS[name].definition}." for name in table.columns]
    return "\n".join([*lines, "", *definitions, ""])
