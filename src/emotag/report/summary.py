"""The summary of one adaptation: everything a reader or a script asks of it, in one dictionary."""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from emotag.errors import ArtifactMismatch


def nested_metrics(rows: pd.DataFrame) -> dict[str, dict[str, float | None]]:
    """{variant: {metric: value}}; what could not be measured, or is infinite (equal pictures), is None."""
    nested: dict[str, dict[str, float | None]] = {}
    for row in rows.itertuples():
        value = None if not math.isfinite(row.value) else round(float(row.value), 5)
        nested.setdefault(row.variant, {})[row.metric] = value
    return nested


def last_record(path: Path) -> dict[str, Any]:
    """The last try that Snakemake's benchmark file of a job tells of.

    Raises:
        ArtifactMismatch: the file is empty or cut off.
    """
    try:
        record = json.loads(path.read_text(encoding="utf-8").strip().splitlines()[-1])
        return {**record, "s": float(record["s"])}
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise ArtifactMismatch(
            f"{path}: cannot be read as a benchmark ({error!r}); delete it, then run again"
        ) from error


def benchmark_costs(folder: Path, names: Sequence[str], shared_jobs: Sequence[str]) -> dict[str, Any]:
    """Wall seconds a stage and peak memory, from Snakemake's benchmark files of one drive of an identity.

    Files lie at folder/<rule>/<job>.jsonl; jobs are called <clip>, <identity>, <identity>@<clip> or
    <identity>@<drive>@<variant>, and `names` are those of identity, clips and drive. `shared_jobs` are those, as
    "<rule>/<job>", whose work other identities use too (head, corpus, prior); they are told apart.
    """
    stages: dict[str, float] = {}
    shared: dict[str, float] = {}
    peak = 0.0
    for path in sorted(folder.glob("*/*.jsonl")):
        rule, job = path.parent.name, path.name.removesuffix(".jsonl")
        if f"{rule}/{job}" in shared_jobs:
            owner = shared
        elif set(job.split("@")[:2]) <= set(names):
            owner = stages
        else:
            continue
        record = last_record(path)
        owner[rule] = round(owner.get(rule, 0.0) + record["s"], 2)
        if isinstance(record.get("max_rss"), int | float):
            peak = max(peak, float(record["max_rss"]))
    return {
        "wall_s": {**stages, "all": round(sum(stages.values()), 2)},
        "wall_s_shared": {**shared, "all": round(sum(shared.values()), 2)},
        "peak_rss_mb": round(peak, 1),
    }
