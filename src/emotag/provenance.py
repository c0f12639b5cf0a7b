"""Where an artifact came from: the package's version, the code that made it and the settings it was given."""

from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import BaseModel

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
    content: dict[str, Any] = {"package": "emotag", "version": package_version()}
    if run.module:
        content["stage"] = run.module
        content["code"] = closure(run.module)
    content.update({key: value.model_dump(mode="json") for key, value in run.settings.items()})
    return content


def package_version() -> str:
    """Version of the installed package, or `source` where only the source tree is on the path."""
    try:
        return version("emotag")
    except PackageNotFoundError:
        return "source"
