"""Finished tables in the form that is committed: one CSV a sheet, and one Markdown page with where every number is from.

A sheet is a table, or tables of several settings beside one another: then each metric's columns bear the setting's name, so
that no column holds numbers of two settings. Nothing of a person but the names of clips goes into either.
"""

import csv
import hashlib
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emotag.errors import ArtifactMismatch
from emotag.report.references import MARK
from emotag.report.tables import MISSING, cell
from emotag.report.typeset import Finished

HASH_DIGITS = 12
HOW_TO_READ = (
    "Columns of a table are its rows of the CSV file: the ground truth against itself, the baselines (`frozen`, `nearest`, "
    "`upper_bound`), variants, other systems. A number is the mean over people, in brackets its 95 % bootstrap interval over "
    "people and clips; bold is the best of what is ranked; a dash is what was not measured. Definitions stand below; each "
    "clip's own numbers are in `per_clip/`. "
    f"Published numbers stand apart: they are of {MARK}, and no digit of theirs compares with one of ours."
)


@dataclass(frozen=True)
class Entry:
    """One finished table: its name, the `sheet` it goes into under the name `part` of its setting, its CSV's `lines`, and
    those of its `cells`, one a number."""

    name: str
    sheet: str
    part: str
    table: Finished
    lines: Sequence[Mapping[str, str]]
    cells: Sequence[Mapping[str, str]] = ()

    def facts(self, key: str, default: Any = None) -> Any:
        """What the table's sidecar says."""
        return self.table.facts.get(key, default)


def sheets(entries: Sequence[Entry]) -> dict[str, str]:
    """CSV texts by sheet: a line a row with its kind; numbers as they were written, an empty cell for what is missing."""
    names = list(dict.fromkeys(entry.sheet for entry in entries))
    return {name: sheet([entry for entry in entries if entry.sheet == name]) for name in names}


def sheet(entries: Sequence[Entry]) -> str:
    """One CSV. Tables beside one another share rows by name; a setting that lacks a row leaves its cells empty.

    Raises:
        ArtifactMismatch: two of them would write the same columns, or do not say what kind a row is.
    """
    rows: dict[str, dict[str, str]] = {}
    columns: list[str] = []
    for entry in entries:
        prefix = f"{entry.part}." if len(entries) > 1 else ""
        own = [name for name in entry.lines[0] if name != "row"]
        clash = {prefix + name for name in own} & set(columns)
        if clash:
            raise ArtifactMismatch(
                f"{entry.sheet}: {entry.name} would write {sorted(clash)[0]} again; tables of one sheet need settings of "
                "their own (data/tables.yaml)"
            )
        columns += [prefix + name for name in own]
        for line in entry.lines:
            kind = entry.facts("kinds", {}).get(line["row"])
            if kind is None:
                raise ArtifactMismatch(f"{entry.name}: its sidecar does not say what {line['row']!r} is; make it again")
            found = rows.setdefault(line["row"], {"row": line["row"], "kind": kind})
            found |= {prefix + name: line[name] for name in own}
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["row", "kind", *columns], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows.values())
    return buffer.getvalue()


def per_clip(entry: Entry) -> str:
    """CSV with a line a row and test of a clip: the numbers that the table's means are of. What not every row has a number for
    is left out, as it is of the means.
    """
    metrics = [column.name for column in entry.table.columns]
    lines: dict[tuple[str, str], dict[str, str]] = {}
    for found in entry.cells:
        if found["counted"] == "True":
            same = {name: found[name] for name in ("row", "kind", "person", "case")}
            lines.setdefault((found["row"], found["case"]), same)[found["metric"]] = found["value"]
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, ["row", "kind", "person", "case", *metrics], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines.values())
    return buffer.getvalue()


def page(entries: Sequence[Entry], absent: Sequence[str], title: str, command: str | None, remarks: str = "") -> str:
    """Markdown of all tables. `absent` are those that were not made; `command` made the others, `remarks` go on top."""
    told = f"Measured by `{command}`, written" if command else "Written"
    made = ", ".join(f"{key} {agreed(entries, key)}" for key in ("commit", "preset", "machine"))
    lines = [f"# {title}", "", f"{told} by `python -m emotag publish`: {made}.", ""]
    lines += [remarks.strip(), ""] if remarks.strip() else []
    lines += [HOW_TO_READ, ""]
    lines += claims(entries)
    for entry in entries:
        lines += section(entry)
    if absent:
        lines += ["## Not made", "", *(f"- `{name}`" for name in absent), ""]
    return "\n".join(lines + definitions(entries) + inputs(entries))


def agreed(entries: Sequence[Entry], key: str) -> str:
    """What all tables say under `key`, or each of it with the tables that say so."""
    said: dict[str, list[str]] = {}
    for entry in entries:
        said.setdefault(str(entry.facts(key, "unknown")), []).append(entry.name)
    if len(said) <= 1:
        return next(iter(said), "unknown")
    return "; ".join(f"{word} ({', '.join(names)})" for word, names in said.items())


def claims(entries: Sequence[Entry]) -> list[str]:
    """What the paper claims against what was measured, one line a table and metric."""
    found = [f"- `{entry.name}`, {line}." for entry in entries for line in entry.facts("claims", [])]
    told = (
        "Best is the full model; those that leave something out lose. Drops are taken clip by clip; within the noise they are "
        "where their 95 % bootstrap interval over people and clips has both signs."
    )
    return ["## What the paper claims", "", told, "", *found, ""] if found else []


def section(entry: Entry) -> list[str]:
    """One table: what it is of, our rows, the published ones apart, notes."""
    table = entry.table
    measured = [name for name in (column.name for column in table.columns) if numbers(table, name)]
    lines = [f"## {table.caption}", "", f"File `{entry.sheet}.csv`, table `{entry.name}`. {coverage(entry)}", ""]
    if measured:
        best = {name: table.best(name) for name in measured}
        lines += header(["", *table.rows])
        for column in table.columns:
            if column.name in measured:
                shown = {row: cells[column.name].text() for row, cells in table.rows.items()}
                bold = [f"**{text}**" if row in best[column.name] else text for row, text in shown.items()]
                lines.append(line([column.heading(), *bold]))
        lines += [""]
    unknown = [f"`{column.name}`" for column in table.columns if column.name not in measured]
    lines += [f"Not measured in any row: {', '.join(unknown)}.", ""] if unknown else []
    return lines + published(table) + notes(entry)


def numbers(table: Finished, name: str) -> list[float]:
    """Numbers of a column that are there."""
    found = (cells[name].value for cells in table.rows.values())
    return [value for value in found if not math.isnan(value)]


def coverage(entry: Entry) -> str:
    """How many people and clips the numbers are of, and which columns are of fewer."""
    counts = {name: len(said.get("cases", [])) for name, said in entry.facts("columns", {}).items()}
    most, people = max(counts.values(), default=0), len(entry.facts("people", []))
    if not most:
        return "Nothing here is of this setting: every cell is a dash."
    fewer = [f"`{name}` of {count}" for name, count in counts.items() if 0 < count < most]
    told = f"People: {people}, tests of a clip: {most}"
    return f"{told} ({', '.join(fewer)})." if fewer else f"{told}."


def published(table: Finished) -> list[str]:
    """Published rows with the columns that any of them has, and their sources."""
    cited = table.published()
    if not cited:
        return []
    shown = [column for column in table.columns if any(column.name in values for _, values in cited)]
    lines = [f"Published, {MARK}:", "", *header(["", *(column.heading() for column in shown)])]
    lines += [line([name, *(cell(values.get(c.name, math.nan)) for c in shown)]) for name, values in cited]
    return [*lines, "", *(f"- {note}" for note in table.notes()), ""]


def notes(entry: Entry) -> list[str]:
    """What departs from the setting's letter, and in which tests."""
    said: dict[str, list[str]] = {}
    for case, note in entry.facts("notes", {}).items():
        said.setdefault(note, []).append(case)
    lines = [f"- {note}: {', '.join(sorted(cases))}" for note, cases in sorted(said.items())]
    return ["Departures:", "", *lines, ""] if lines else []


def definitions(entries: Sequence[Entry]) -> list[str]:
    """Every metric that stands in any table, once."""
    columns = {column.name: column for entry in entries for column in entry.table.columns}
    return ["## Definitions", "", *(f"- `{name}`: {column.definition}." for name, column in columns.items()), ""]


def inputs(entries: Sequence[Entry]) -> list[str]:
    """The measured files with the first digits of their sha256, and one digest of all of them for each table.

    Raises:
        ArtifactMismatch: a file is named by its place on one machine.
    """
    files: dict[str, str] = {}
    lines = ["## What the tables are of", "", *header(["table", "measured files", "digest of their digests"])]
    for entry in entries:
        hashes = entry.facts("hashes", {})
        for name, digest in hashes.items():
            if Path(name).is_absolute():
                raise ArtifactMismatch(f"{entry.name}: {name} is a place on one machine; make it by Snakemake")
            files[name] = digest[:HASH_DIGITS]
        whole = hashlib.sha256("\n".join(f"{name} {hashes[name]}" for name in sorted(hashes)).encode()).hexdigest()
        lines.append(line([entry.name, str(len(hashes)), f"`{whole[:HASH_DIGITS]}`" if hashes else MISSING]))
    listed = [f"- `{name}` {digest}" for name, digest in sorted(files.items())]
    folded = ["<details><summary>Every file, first digits of its sha256</summary>", "", *listed, "", "</details>", ""]
    return [*lines, "", *(folded if listed else [])]


def header(names: Sequence[str]) -> list[str]:
    """Header and rule of a Markdown table."""
    return [line(names), "| --- " + "| ---: " * (len(names) - 1) + "|"]


def line(cells: Sequence[str]) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(text.replace("|", "\\|") for text in cells) + " |"
