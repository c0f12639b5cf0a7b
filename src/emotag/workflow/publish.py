"""Finished tables as they are committed to docs/results.

Reads: data/tables.yaml, data/variants.yaml, results/tables/NAME.csv, NAME.json and NAME_cells.csv of those that were made,
published numbers, a file of remarks where there is one. Writes: one CSV a sheet, one of its clips a table, and tables.md.
"""

import csv
import io
from pathlib import Path

from emotag.errors import ConfigError
from emotag.io.artifact import write_atomic
from emotag.report import publish, references, typeset
from emotag.workflow.paper import Table, read_tables
from emotag.workflow.variants import read_variants

DECLARED, VARIANTS, REFERENCES = Path("data/tables.yaml"), Path("data/variants.yaml"), Path("data/reference")


def run(
    *, tables: Path, out: Path, title: str = "Tables", command: str | None = None, remarks: Path | None = None
) -> None:
    """Write the finished tables of the folder `tables` into the folder `out`; tables that were not made are named.

    Raises:
        ConfigError: there is none.
    """
    declared = read_tables(DECLARED, read_variants(VARIANTS)).tables
    papers = [references.load(path) for path in sorted(REFERENCES.glob("*.yaml"))]
    made = [
        name for name in declared if all((tables / f"{name}{end}").is_file() for end in (".csv", ".json", "_cells.csv"))
    ]
    if not made:
        raise ConfigError(
            f"{tables}: found none of {', '.join(declared)} with its JSON and cells; make them: snakemake paper"
        )
    entries = [entry(tables / f"{name}.csv", declared[name], references.below(papers, name)) for name in made]
    absent = [name for name in declared if name not in made]
    written = remarks.read_text(encoding="utf-8") if remarks is not None and remarks.is_file() else ""
    page = publish.page(entries, absent, title, command, written)
    for name, text in publish.sheets(entries).items():
        write_atomic(out / f"{name}.csv", text.encode())
    for each in entries:
        write_atomic(out / "per_clip" / f"{each.name}.csv", publish.per_clip(each).encode())
    write_atomic(out / "tables.md", page.encode())


def entry(path: Path, declared: Table, cited: list) -> publish.Entry:
    """One finished table as it is read."""
    finished = typeset.read(path, path.with_suffix(".json"), cited)
    lines, cells = (
        list(csv.DictReader(io.StringIO(file.read_text(encoding="utf-8"))))
        for file in (path, path.with_name(f"{path.stem}_cells.csv"))
    )
    return publish.Entry(path.stem, declared.sheet or path.stem, declared.setting, finished, lines, cells)
