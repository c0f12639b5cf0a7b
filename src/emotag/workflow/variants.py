"""Variants of the system as data: each a name and what differs; equal work is done once.

Only the settings of `pretrain` and `adapt` may differ. The first variant is the product; its results lie where they always
do, those of others below `results/variants/<owner>/`, where the owner of a piece of work is the first variant whose settings
for it and for all before it are the same.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from emotag.complaints import first_complaint
from emotag.config import Settings
from emotag.errors import ConfigError
from emotag.people import Name, check_name
from emotag.project import RENDERED, Config, stage_settings
from emotag.workflow.priors import RENDERED_FILE
from emotag.yaml_files import load_files, merge

# What a variant may set, in the order of the work.
SECTIONS = ("pretrain", "adapt")
WORK = ("pretrain", RENDERED, "adapt")


class Variant(Settings):
    """One entry of data/variants.yaml."""

    label: str
    base: Name | None = None
    set: dict[str, dict[str, Any]] = {}


def read_variants(path: Path) -> dict[str, Variant]:
    """Variants by name, in their order.

    Raises:
        ConfigError: an entry is not one, sets what it may not, or stands on a variant that does not come before it.
    """
    variants: dict[str, Variant] = {}
    for name, entry in load_files([path]).items():
        where = f"{path}, {name}"
        try:
            variant = Variant.model_validate(entry)
            check_name(name)
        except ValidationError as error:
            raise ConfigError(first_complaint(error, Variant, where)) from error
        except ValueError as error:
            raise ConfigError(f"{where}: {error}") from error
        foreign = set(variant.set) - set(SECTIONS)
        if foreign:
            raise ConfigError(f"{where}: sets {', '.join(sorted(foreign))}, expected only {' and '.join(SECTIONS)}")
        if variant.base is not None and variant.base not in variants:
            raise ConfigError(f"{where}: base is {variant.base!r}, expected a variant that stands before it")
        if not variants and (variant.set or variant.base):
            raise ConfigError(f"{where}: the first variant is the product and sets nothing")
        variants[name] = variant
    if not variants:
        raise ConfigError(f"{path}: no variants here; the first one is the product, for example full: {{label: Full}}")
    return variants


def settings_of(name: str, variants: Mapping[str, Variant], config: Config) -> Config:
    """The configuration of a variant, what it sets being merged over that of the run.

    Raises:
        ConfigError: names the variant and the key that cannot be.
    """
    chain, current = [], name
    while current is not None:
        chain.append(variants[current].set)
        current = variants[current].base
    tree = config.model_dump()
    for changes in reversed(chain):
        tree = merge(tree, changes)
    try:
        return Config.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(first_complaint(error, Config, f"variant {name}", data=tree)) from error


@dataclass(frozen=True)
class Models:
    """All variants with their settings, and who does which work. The methods with `wildcards` are given to rules."""

    variants: Mapping[str, Variant]
    config: Config

    @cached_property
    def configs(self) -> dict[str, Config]:
        """Settings by variant; the product's are the run's. Not made before they are asked for, because a run that makes no
        table may have settings that some variant cannot stand on.
        """
        first, *others = self.variants
        return {first: self.config} | {name: settings_of(name, self.variants, self.config) for name in others}

    @property
    def product(self) -> str:
        """The first variant."""
        return next(iter(self.variants))

    def content(self, name: str, section: str) -> str:
        """The settings of a variant for the work of `section` and of all before it, as text that can be compared."""
        before = WORK[: WORK.index(section) + 1]
        return json.dumps({part: stage_settings(self.configs[name], part) for part in before})

    def owner(self, name: str, section: str) -> str:
        """The first variant that does the same work up to `section`."""
        mine = self.content(name, section)
        return next(other for other in self.configs if self.content(other, section) == mine)

    def root(self, name: str, section: str) -> str:
        """Below which folder the work of a variant lies."""
        owner = self.owner(name, section)
        return "results" if owner == self.product else f"results/variants/{owner}"

    def prior(self, name: str, prior: str, trained: str) -> str:
        """The prior of a variant in place of the product's file `prior`; `trained` is what the product's training makes."""
        section = RENDERED if trained.endswith(RENDERED_FILE) else "pretrain"
        root = self.root(name, section)
        return prior if root == "results" else root + trained.removeprefix("results")

    def stage_config(self, section: str) -> Callable[[Any], str]:
        """As `params.stage_config`, of the variant that the job's wildcard `model` names."""

        def text(wildcards: Any) -> str:
            return json.dumps(stage_settings(self.configs[wildcards.model], section), sort_keys=True)

        return text
