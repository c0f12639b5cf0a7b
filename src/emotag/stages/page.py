"""The results page of several identities.

Reads: results/summary/<identity>.json of each. Writes: one Markdown page.
"""

import json
from pathlib import Path

from emotag import stage
from emotag.io.artifact import write_atomic
from emotag.report.page import page


def run(*, summaries: list[Path], out: Path, wanted: list[str] | None = None) -> None:
    """Write the page of the summaries that exist; those of `wanted` without one are listed as not made."""
    made = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in summaries if path.is_file()}
    failures = {name: reason(name) for name in wanted or [] if name not in made}
    write_atomic(out, page(made, failures).encode())


def reason(identity: str) -> str:
    """The last thing a stage said of an identity that was not made."""
    logs = sorted(Path("results/logs").glob(f"*/{identity}*.log"), key=lambda path: path.stat().st_mtime)
    lines = [
        line for log in logs for line in log.read_text(errors="replace").splitlines() if line.startswith("error (")
    ]
    return lines[-1] if lines else "see results/logs"


if __name__ == "__main__":
    stage.main(run)
