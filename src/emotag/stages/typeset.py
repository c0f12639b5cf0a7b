"""A finished table for print, with the published numbers apart below it.

Reads: the table's CSV and JSON (`emotag.report.typeset`), and the files of published numbers. Writes: Markdown, LaTeX and an
HTML page.
"""

from pathlib import Path

from emotag import stage
from emotag.io.artifact import write_atomic
from emotag.report import references as published
from emotag.report import typeset


def run(
    *, table: Path, sidecar: Path, references: list[Path], out_markdown: Path, out_latex: Path, out_page: Path
) -> None:
    """Write `table` for print; published rows are those that `references` say may stand under a table of its name."""
    papers = [published.load(path) for path in references]
    finished = typeset.read(table, sidecar, published.below(papers, table.stem))
    write_atomic(out_markdown, typeset.markdown(finished).encode())
    write_atomic(out_page, typeset.page(finished).encode())
    write_atomic(out_latex, typeset.latex(finished, table.stem).encode())


if __name__ == "__main__":
    stage.main(run)
