"""One table of the paper: every row of every case measured alike, means over people, intervals over clips.

Reads: what the table is to hold, the metrics.parquet of every row and case, avatars and speed files where the table tells of
costs, and Snakemake's benchmarks. Writes: CSV (one line a row: row, then metric, metric_low, metric_high), its JSON (caption,
definitions, splits, command, hashes, what the paper claims) and a long CSV with every case's number and the files it is of.
Times of stages stand in it, so a table is of the machine that made it.
"""

import csv
import io
import math
import platform
from pathlib import Path
from typing import Any

import pandas as pd

from emotag import stage
from emotag.artifacts import Avatar
from emotag.io.artifact import read_json, write_atomic, write_json
from emotag.metrics.base import METRICS
from emotag.provenance import commit
from emotag.report import costs
from emotag.report.comparison import Number, Row, Summary, check_comparable, drops, judge, shared_cases, summarise

CELLS = (
    "row",
    "kind",
    "case",
    "person",
    "metric",
    "value",
    "unit",
    "split",
    "crop",
    "providers",
    "counted",
    "note",
    "files",
)
MACHINE = "this machine"


def run(*, plan: Path, metrics: list[Path], out: Path, out_sidecar: Path, out_cells: Path) -> None:
    """Make one table. `plan` is of `emotag.workflow.paper.Paper.described`; `metrics` are all files it names."""
    wanted = read_json(plan, "table", "columns", "rows")
    tables: dict[str, pd.DataFrame] = {}
    rows = {row["row"]: read_row(row, wanted["columns"], tables) for row in wanted["rows"]}
    for name in wanted["columns"]:
        check_comparable(list(rows.values()), name)
    counted = {name: shared_cases(list(rows.values()), name) for name in wanted["columns"]}
    found = {row: {name: summarise(rows[row], name, counted[name]) for name in wanted["columns"]} for row in rows}
    write_atomic(out, wide(found, wanted["columns"]).encode())
    write_atomic(out_cells, cells(wanted, rows, counted).encode())
    write_json(out_sidecar, sidecar(wanted, rows, counted, found, sorted(metrics)))


def read_row(row: dict[str, Any], columns: list[str], tables: dict[str, pd.DataFrame]) -> Row:
    """Numbers of one row. `tables` keeps the files that were read."""
    numbers: dict[str, dict[str, Number]] = {}
    for case in row["cases"]:
        path = case["metrics"]
        if path not in tables:
            tables[path] = pd.read_parquet(path)
        measured = tables[path][tables[path]["variant"] == row["variant"]]
        kept = measured[measured["metric"].isin(columns)].itertuples()
        numbers[case["case"]] = {
            line.metric: Number(
                float(line.value), case["person"], line.split, path,
                {"definition": line.definition, "unit": line.unit, "crop": line.crop, "providers": line.providers},
            )
            for line in kept
        }  # fmt: skip
        numbers[case["case"]] |= of_costs(case, columns)
    return Row(row["row"], row["kind"], numbers, {case["case"]: case["note"] for case in row["cases"] if case["note"]})


def of_costs(case: dict[str, Any], columns: list[str]) -> dict[str, Number]:
    """What the avatar of a case takes, where a table asks for it (variants alone have avatars)."""
    if "avatar" not in case:
        return {}
    path = Path(case["avatar"])
    values = costs.of_benchmarks(Path(case["train"]), [Path(file) for file in case["preprocess"]])
    if {"gaussians", "avatar_mb"} & set(columns):
        values |= costs.of_avatar(path, len(next(iter(Avatar.load(path).gaussians.values()))))
    if "speed" in case:
        values |= costs.of_speed(Path(case["speed"]))
    found = {}
    for name in set(values) & set(columns):
        source = case["speed"] if name in costs.SPEED else str(path)
        settings = {
            "definition": METRICS[name].definition,
            "unit": METRICS[name].unit,
            "crop": "",
            "providers": MACHINE,
        }
        found[name] = Number(values[name], case["person"], case["case"], source, settings)
    return found


def wide(found: dict[str, dict[str, Summary]], columns: list[str]) -> str:
    """CSV with a line a row; what is missing is an empty cell."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["row", *(f"{name}{end}" for name in columns for end in ("", "_low", "_high"))])
    for row, numbers in found.items():
        parts = [
            text(part) for name in columns for part in (numbers[name].value, numbers[name].low, numbers[name].high)
        ]
        writer.writerow([row, *parts])
    return buffer.getvalue()


def text(value: float) -> str:
    """Six significant places, or nothing."""
    return "" if math.isnan(value) else f"{value:.6g}"


def cells(wanted: dict[str, Any], rows: dict[str, Row], counted: dict[str, set[str]]) -> str:
    """CSV with a line a number: what it is of, whether the table's mean counts it, and the files behind it."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(CELLS)
    for declared in wanted["rows"]:
        row = rows[declared["row"]]
        for case in declared["cases"]:
            files = " ".join(str(case[kind]) for kind in ("metrics", "avatar", "speed") if kind in case)
            for name in wanted["columns"]:
                number = row.cases[case["case"]].get(name)
                if number is None:
                    continue
                facts = [number.split, number.settings["crop"], number.settings["providers"]]
                used = case["case"] in counted[name] and not math.isnan(number.value)
                known = [case["case"], case["person"], name, text(number.value), number.settings["unit"]]
                writer.writerow([row.name, row.kind, *known, *facts, used, case["note"], files])
    return buffer.getvalue()


def sidecar(
    wanted: dict[str, Any],
    rows: dict[str, Row],
    counted: dict[str, set[str]],
    found: dict[str, dict[str, Summary]],
    metrics: list[Path],
) -> dict[str, Any]:
    """What the table says of itself: enough to make each cell again, and to know what it may be compared with."""
    numbers = [number for row in rows.values() for case in row.cases.values() for number in case.values()]
    columns = {
        name: {
            "unit": METRICS[name].unit,
            "higher_is_better": METRICS[name].higher_is_better,
            "ideal": METRICS[name].ideal,
            "definition": METRICS[name].definition,
            "cases": sorted(counted[name]),
        }
        for name in wanted["columns"]
    }
    notes = {case: note for row in rows.values() for case, note in row.notes.items()}
    shown = [number for number in numbers if number.settings["providers"] != MACHINE]
    content = {
        "caption": f"{wanted['caption']}: {wanted['setting']}",
        "columns": columns,
        "kinds": {row.name: row.kind for row in rows.values()},
        "split": ", ".join(sorted({number.split for number in shown})),
        "crop": sorted({number.settings["crop"] for number in shown}),
        "providers": sorted({number.settings["providers"] for number in shown}),
        "preset": wanted["preset"],
        "people": sorted({number.person for number in numbers}),
        "notes": notes,
        "interval": "95 % percentile bootstrap over people and their clips, 2000 resamples; none of fewer than two clips",
        "command": f"snakemake --cores 2 results/tables/{wanted['table']}.csv",
        "commit": commit(),
        "machine": f"{platform.machine()}, {platform.system()}",
        "hashes": stage.digests(**{str(path): path for path in metrics}),
    }
    if wanted["expect"]:
        claim = wanted["expect"]
        said = [claim["best"], *claim["among"]]
        compared = {row["name"]: rows[row["row"]] for row in wanted["rows"] if row["name"] in said}
        lost = {name: drops(compared, claim["best"], name, counted.get(name, set())) for name in claim["metrics"]}
        content["claims"] = judge(lost, claim["best"], claim["largest_drops"])
    return content


if __name__ == "__main__":
    stage.main(run)
