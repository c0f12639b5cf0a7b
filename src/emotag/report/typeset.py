"""Finished tables for print: Markdown, LaTeX (booktabs) and HTML, published numbers apart below a rule and marked.

A finished table is a CSV (first column the row's name; a metric has the column `m`, and `m_low`, `m_high` where it has an
interval) and a JSON beside it: `caption`, `split`, `command`, `hashes` and, by metric, `unit`, `higher_is_better`, `ideal`
and `definition`. What is missing prints as a dash, never as zero.
"""

import csv
import html
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from emotag.errors import ArtifactMismatch
from emotag.io.artifact import read_json
from emotag.metrics.base import Metric
from emotag.report.references import MARK, Reference, ReferenceTable
from emotag.report.tables import MISSING, cell

# Rows that say what is possible, not what a method does: they take no part in "best".
NOT_RANKED = ("ground truth", "ground_truth", "truth", "upper_bound", "upper bound")
COLUMNS_ABREAST = 5
INTERVAL = re.compile(r" \[(\S+), (\S+)\]")
HTML_STYLE = (
    "body{font:15px/1.4 system-ui,sans-serif;margin:1rem}h1{font-size:1.2rem}table{border-collapse:collapse}"
    "td,th{padding:.2rem .6rem;text-align:right}th[scope]{text-align:left;font-weight:400}thead{border-bottom:2px solid}"
    ".rule td{border-top:1px solid;text-align:left;font-style:italic}ul{font-size:.85rem}"
)
LATEX_SPECIAL = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", MISSING: "--", "∞": r"$\infty$", "↑": r"$\uparrow$",
    "↓": r"$\downarrow$", "→": r"$\to$", "<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}",
    "δ": r"$\delta$", "γ": r"$\gamma$", "β": r"$\beta$", "≡": r"$\equiv$", "≥": r"$\ge$", "≤": r"$\le$",
    "…": r"\ldots{}", "·": r"$\cdot$", "±": r"$\pm$", "×": r"$\times$", "−": "-", "–": "--",
}  # fmt: skip


@dataclass(frozen=True)
class Cell:
    """A number with its interval; NaN is what is not there."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan

    def text(self) -> str:
        """The number, and its interval in brackets."""
        bounds = "" if math.isnan(self.low) or math.isnan(self.high) else f" [{cell(self.low)}, {cell(self.high)}]"
        return cell(self.value) + (bounds if not math.isnan(self.value) else "")


@dataclass(frozen=True)
class Finished:
    """A finished table: rows of ours by name, and the published rows that may stand below it."""

    caption: str
    columns: list[Metric]
    rows: dict[str, dict[str, Cell]]
    facts: dict[str, Any] = field(default_factory=dict)
    references: list[tuple[Reference, ReferenceTable]] = field(default_factory=list)

    def best(self, name: str) -> set[str]:
        """Rows with the best number of a column, among those that are ranked; none where there is nothing to compare."""
        column = next(column for column in self.columns if column.name == name)
        known = {
            row: cells[name].value
            for row, cells in self.rows.items()
            if row not in NOT_RANKED and name in cells and math.isfinite(cells[name].value)
        }
        if len(known) < 2 or (column.higher_is_better is None and column.ideal is None):
            return set()
        losses = {row: loss(number, column) for row, number in known.items()}
        return {row for row, number in losses.items() if number == min(losses.values())}

    def published(self) -> list[tuple[str, dict[str, float]]]:
        """(name with citation, {column: number}) of the rows below the rule; those that share no column are left out."""
        shown = {column.name for column in self.columns}
        found = []
        for paper, table in self.references:
            for row in table.rows:
                numbers = {name: number for name, number in table.values(row["method"]).items() if name in shown}
                if numbers:
                    found.append((f"{row['method']} ({paper.system}, Table {table.table}; {MARK})", numbers))
        return found

    def notes(self) -> list[str]:
        """Where the published rows come from, one line a table of a paper."""
        lines = []
        for paper, table in self.references:
            read = "" if table.source.kind == "paper" else " Numbers read from notes on the paper, not from the paper."
            people = f" Means over {table.people} people." if table.people else ""
            remark = f" {table.remark}" if table.remark else ""
            lines.append(f"{paper.citation()}, Table {table.table}: {table.setting}; {MARK}.{people}{read}{remark}")
        return lines


def loss(number: float, column: Metric) -> float:
    """How bad a number is: the smaller the better, whatever the metric's direction."""
    if column.higher_is_better is None:
        return abs(number - float(column.ideal or 0.0))
    return -number if column.higher_is_better else number


def read(table: Path, sidecar: Path, references: Sequence[tuple[Reference, ReferenceTable]] = ()) -> Finished:
    """Read a finished table.

    Raises:
        ArtifactMismatch: CSV and JSON do not fit each other, or a cell is no number.
    """
    facts = read_json(sidecar, "caption", "columns")
    lines = list(csv.reader(io.StringIO(table.read_text(encoding="utf-8"))))
    if not lines or len({len(line) for line in lines}) != 1:
        raise ArtifactMismatch(f"{table}: found no rows, or rows of unequal length; make the table again")
    names = lines[0][1:]
    shown = [name for name in names if name in facts["columns"]]
    strays = set(names) - {f"{name}{end}" for name in facts["columns"] for end in ("", "_low", "_high")}
    if strays or not shown:
        raise ArtifactMismatch(
            f"{table}: found columns {sorted(strays)} that {sidecar.name} does not define; make both again"
        )
    rows = {}
    for line in lines[1:]:
        numbers = {name: number(text, table) for name, text in zip(names, line[1:], strict=True)}
        rows[line[0]] = {
            name: Cell(numbers[name], numbers.get(f"{name}_low", math.nan), numbers.get(f"{name}_high", math.nan))
            for name in shown
        }
    columns = [column_of(name, facts["columns"][name]) for name in shown]
    return Finished(str(facts["caption"]), columns, rows, facts, list(references))


def column_of(name: str, said: Mapping[str, Any]) -> Metric:
    """A column by what the sidecar says of it."""
    return Metric(
        name, said.get("unit") or "", said.get("higher_is_better"), said.get("definition") or "", said.get("ideal")
    )


def number(text: str, table: Path) -> float:
    """A cell of a CSV; empty or a dash is NaN."""
    if text.strip() in ("", MISSING, "nan"):
        return math.nan
    try:
        return float(text)
    except ValueError as error:
        raise ArtifactMismatch(f"{table}: found {text!r}, expected a number or an empty cell") from error


def made_by(facts: Mapping[str, Any]) -> list[str]:
    """Split, command and hashes of a table, as lines."""
    lines = [f"{name}: {facts[name]}" for name in ("split", "command") if facts.get(name)]
    hashes = facts.get("hashes") or {}
    return lines + ([f"hashes: {', '.join(f'{name} {value}' for name, value in hashes.items())}"] if hashes else [])


def markdown(table: Finished) -> str:
    """Markdown with the definitions under it; published rows in a table of their own, since Markdown has no inner rule."""
    lines = [table.caption, "", *_markdown_rows(own_rows(table), table.columns)]
    published = table.published()
    if published:
        cited = [
            (name, [cell(values.get(column.name, math.nan)) for column in table.columns]) for name, values in published
        ]
        lines += ["", f"Published, {MARK} (never comparable digit by digit):", ""]
        lines += _markdown_rows(cited, table.columns)
    lines += ["", *(f"- `{column.name}`: {column.definition}." for column in table.columns)]
    lines += [f"- {note}" for note in table.notes()]
    return "\n".join([*lines, *(f"- {line}" for line in made_by(table.facts)), ""])


def own_rows(table: Finished, bold: str = "**{}**") -> list[tuple[str, list[str]]]:
    """Names and cells of our rows, the best of each column as `bold` says."""
    best = {column.name: table.best(column.name) for column in table.columns}
    return [
        (
            row,
            [bold.format(cells[c.name].text()) if row in best[c.name] else cells[c.name].text() for c in table.columns],
        )
        for row, cells in table.rows.items()
    ]


def _markdown_rows(rows: Sequence[tuple[str, list[str]]], columns: Sequence[Metric]) -> list[str]:
    header = ["", *(column.heading() for column in columns)]
    lines = [f"| {' | '.join(header)} |", "| --- " + "| ---: " * len(columns) + "|"]
    return lines + [f"| {' | '.join([name.replace('|', chr(92) + '|'), *cells])} |" for name, cells in rows]


def page(table: Finished) -> str:
    """An HTML page that needs nothing else: for the report, and for a browser."""
    own = "".join(_html_row(name, cells) for name, cells in own_rows(table, "\x01{}\x02"))
    cited = "".join(
        _html_row(name, [cell(values.get(column.name, math.nan)) for column in table.columns])
        for name, values in table.published()
    )
    rule = f'<tr class="rule"><td colspan="{len(table.columns) + 1}">Published, {MARK}</td></tr>' if cited else ""
    header = "".join(f"<th>{html.escape(column.heading())}</th>" for column in table.columns)
    told = [f"{column.name}: {column.definition}." for column in table.columns] + table.notes() + made_by(table.facts)
    notes = "".join(f"<li>{html.escape(line)}</li>" for line in told)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(table.caption)}</title>'
        f"<style>{HTML_STYLE}</style></head><body><h1>{html.escape(table.caption)}</h1><table><thead><tr><th></th>{header}"
        f"</tr></thead><tbody>{own}{rule}{cited}</tbody></table><ul>{notes}</ul></body></html>\n"
    )


def _html_row(name: str, cells: Sequence[str]) -> str:
    """A row; what stands between the marks 1 and 2 is bold."""
    shown = "".join(f"<td>{html.escape(text)}</td>" for text in cells)
    shown = shown.replace("\x01", "<strong>").replace("\x02", "</strong>")
    return f'<tr><th scope="row">{html.escape(name)}</th>{shown}</tr>'


def escape(text: str) -> str:
    """Text for LaTeX; letters beyond Latin-1 that have no command here are told by a question mark."""
    spelt = "".join(LATEX_SPECIAL.get(letter, letter) for letter in text)
    return "".join(letter if ord(letter) < 256 else "?" for letter in spelt)


def latex(table: Finished, label: str) -> str:
    r"""`table` environments that need booktabs and graphicx: \usepackage{booktabs,graphicx}.

    Intervals are small figures beside the number. More than `COLUMNS_ABREAST` columns are continued in further tables: shrunk
    to a page's width nobody could read them.
    """
    blocks = [table.columns[k : k + COLUMNS_ABREAST] for k in range(0, len(table.columns), COLUMNS_ABREAST)]
    told = [f"{column.name}: {column.definition}" for column in table.columns] + table.notes() + made_by(table.facts)
    lines = [f"% {' '.join(line.split())}" for line in told]
    for number, columns in enumerate(blocks, 1):
        more, suffix = (" (continued)", f"-{number}") if number > 1 else ("", "")
        lines += [
            r"\begin{table}[t]", r"  \centering\footnotesize\renewcommand{\arraystretch}{1.2}",
            rf"  \caption{{{escape(table.caption)}{more}}}", rf"  \label{{tab:{label}{suffix}}}",
            *_latex_tabular(replace(table, columns=columns)), r"\end{table}",
        ]  # fmt: skip
    return "\n".join([*lines, ""])


def _latex_tabular(table: Finished) -> list[str]:
    """A tabular of all rows that is shrunk to the line's width where it is wider."""
    width = len(table.columns)
    lines = [
        r"  \resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"  \begin{{tabular}}{{l{'r' * width}}}", r"    \toprule",
        "    " + " & ".join(["", *(escape(column.heading()) for column in table.columns)]) + r" \\", r"    \midrule",
    ]  # fmt: skip
    lines += [_latex_row(name, cells) for name, cells in own_rows(table, "\x01{}\x02")]
    published = table.published()
    if published:
        lines += [r"    \midrule", rf"    \multicolumn{{{width + 1}}}{{l}}{{\emph{{Published, {MARK}}}}} \\"]
        for name, values in published:
            lines.append(_latex_row(name, [cell(values.get(column.name, math.nan)) for column in table.columns]))
    return [*lines, r"    \bottomrule", r"  \end{tabular}}"]


def _latex_row(name: str, cells: Sequence[str]) -> str:
    text = " & ".join([escape(name), *(INTERVAL.sub(r"$_{\1}^{\2}$", escape(cell)) for cell in cells)])
    return "    " + text.replace("\x01", r"\textbf{").replace("\x02", "}") + r" \\"
