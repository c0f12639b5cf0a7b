"""Where an artifact came from: the package's version, the code that made it and the settings it was given."""

from dataclasses import dataclass, field
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
