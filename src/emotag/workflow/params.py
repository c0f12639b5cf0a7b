"""What every rule carries as parameters: its own settings as JSON, and its code.

Both are functions of the wildcards: Snakemake expands braces in plain strings, and JSON is full of them.
"""

import json
from collections.abc import Callable
from typing import Any

from emotag.project import Config, stage_settings
from emotag.workflow.pace import same_for_all_jobs
from emotag.workflow.sources import closure


def stage_config(config: Config, section: str) -> Callable[[Any], str]:
    """Settings of one section, cut down to what its stage reads, as sorted JSON.

    A change elsewhere in the configuration leaves the text as it is, so nothing is made again without need.
    """

    text = json.dumps(stage_settings(config, section), sort_keys=True)
    return lambda wildcards: text


def stage_code(stage: str, *loaded_by_name: str) -> Callable[[Any], list[str]]:
    """Code of one stage: `module@digest` lines, so that Snakemake names the module that changed."""
    return lambda wildcards: closure(f"emotag.stages.{stage}", *loaded_by_name)


def grows(amount: int) -> Callable[[Any, int], int]:
    """A resource function: `amount` in the first attempt, twice that in the second, and so on."""
    return same_for_all_jobs(lambda wildcards, attempt: amount * attempt)
