"""The results page of several identities.

Reads: results/summary/<identity>.json of each, and a file of remarks where there is one. Writes: one Markdown page.
"""

from pathlib import Path

from emotag import stage
from emotag.io.artifact import read_json, write_atomic
from emotag.report.page import page


def run(*, summaries: list[Path], out: Path, wanted: list[str] | None = None, remarks: Path | None = None) -> None:
    """Write the page of the summaries that exist; those of `wanted` without one are listed as not made.

    `remarks` is put into the page where that file exists.
    """
    made = {path.stem: read_json(path) for path in summaries if path.is_file()}
    failures = {name: reason(name) for name in wanted or [] if name not in made}
    written = remarks.read_text(encoding="utf-8") if remarks is not None and remarks.is_file() else ""
    write_atomic(out, page(made, failures, written).encode())


def reason(identity: str) -> str:
    """The last thing a stage said of an identity that was not made."""
    logs = sorted(Path("results/logs").glob(f"*/{identity}*.log"), key=lambda path: path.stat().st_mtime)
    lines = [
        line for log in logs for line in log.read_text(errors="replace").splitlines() if line.startswith("error (")
    ]
    return lines[-1] if lines else "see results/logs"


if __name__ == "__main__":
    stage.main(run)
