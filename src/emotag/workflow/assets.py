"""The asset manifest, as the rules read it."""

from pathlib import Path

import yaml
from pydantic import ValidationError

from emotag.complaints import first_complaint
from emotag.errors import ConfigError
from emotag.io.assets import Asset


def read_manifest(path: Path) -> dict[str, Asset]:
    """Assets by file name.

    Raises:
        ConfigError: an entry is not as the head of the manifest describes it.
    """
    entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    assets = {}
    for name, entry in entries.items():
        try:
            assets[name] = Asset.model_validate({"name": name, **entry})
        except ValidationError as error:
            raise ConfigError(first_complaint(error, Asset, f"{path}, {name}")) from error
    return assets


def asset_entry(assets: dict[str, Asset]):
    """Params function: the manifest's entry as JSON, so that an edited entry is fetched anew and no other."""
    return lambda wildcards: assets[wildcards.asset].model_dump_json()


def asset_digest(assets: dict[str, Asset]):
    """The sha256 that Snakemake itself checks after the job."""
    return lambda wildcards: assets[wildcards.asset].sha256
