"""What every rule carries as parameters: its own settings as JSON, and its code.

Both are functions of the wildcards: Snakemake expands braces in plain strings, and JSON is full of them.
"""

import json
from collections.abc import Callable
from typing import Any

from emotag.project import Config, stage_model
from emotag.workflow.sources import closure


def stage_config(config: Config, section: str) -> Callable[[Any], str]:
    """Settings of one section, cut down to what its stage reads, as sorted JSON.

    A change elsewhere in the configuration leaves the text as it is, so nothing is made again without need.
    """

    def text(wildcards: Any) -> str:
        values = getattr(config, section).model_dump(mode="json")
        return json.dumps({name: values[name] for name in stage_model(section).model_fields}, sort_keys=True)

    return text


def stage_code(stage: str, *loaded_by_name: str) -> Callable[[Any], list[str]]:
    """Code of one stage: `module@digest` lines, so that Snakemake names the module that changed."""
    return lambda wildcards: closure(f"emotag.stages.{stage}", *loaded_by_name)
