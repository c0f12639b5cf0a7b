"""Where an artifact came from: the package's version, the code that made it and the settings it was given."""

import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from emotag import __version__
from emotag.workflow.sources import closure


@dataclass
class Run:
    """The stage that this process runs; empty in tests and at the prompt."""

    module: str = ""
    settings: dict[str, BaseModel] = field(default_factory=dict)

    def begin(self, module: str, settings: dict[str, BaseModel]) -> None:
        """Note what is about to run."""
        self.module, self.settings = module, settings


def describe(run: Run) -> dict[str, Any]:
    """`run` as JSON: the same code and settings always give the same description."""
    content: dict[str, Any] = {"package": "emotag", "version": __version__}
    if run.module:
        content["stage"] = run.module
        content["code"] = closure(run.module)
    content.update({key: value.model_dump(mode="json") for key, value in run.settings.items()})
    return content


def commit(folder: Path = Path(__file__).parent) -> str:
    """Short hash of the commit that the code in `folder` is of, with ", dirty" where tracked files were changed since;
    "unknown" outside a git work tree. For summaries alone: artifacts carry the code's own digests.
    """

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=False)
        except FileNotFoundError:
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    name = git("rev-parse", "--short", "HEAD")
    # A work tree that merely contains an installed copy says nothing of it.
    if name is None or not git("ls-files", "--", "."):
        return "unknown"
    return f"{name}, dirty" if git("status", "--porcelain", "--untracked-files=no", "--", ".") else name
