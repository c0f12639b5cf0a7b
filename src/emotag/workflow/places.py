"""Where the results of a finished run are, for the last lines a user sees."""

import json
from pathlib import Path


def places(summary: Path) -> str:
    """Every file that a summary names, one a line, and the summary itself."""
    content = json.loads(summary.read_text(encoding="utf-8"))
    found = {name: value for name, value in content.items() if isinstance(value, str) and Path(value).is_file()}
    found["summary"] = str(summary)
    width = max(len(name) for name in found)
    return "\n".join(f"{name:{width}}  {path}" for name, path in found.items())
