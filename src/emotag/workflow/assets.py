"""The asset manifest, as the rules read it."""

from pathlib import Path

from pydantic import ValidationError

from emotag.complaints import first_complaint
from emotag.errors import AssetMissing, ConfigError
from emotag.io.assets import Asset, sha256_of
from emotag.project import load_files


def read_manifest(path: Path) -> dict[str, Asset]:
    """Assets by file name.

    Raises:
        ConfigError: the file or an entry is not as the head of the manifest describes it.
    """
    assets = {}
    for name, entry in load_files([path]).items():
        if not isinstance(entry, dict):
            raise ConfigError(f"{path}, {name}: found {entry!r}, expected what, licence, sha256 and source")
        try:
            assets[name] = Asset.model_validate({"name": name, **entry})
        except ValidationError as error:
            raise ConfigError(first_complaint(error, Asset, f"{path}, {name}")) from error
    return assets


def check_assets(assets: dict[str, Asset], folder: Path) -> None:
    """Refuse a run on a fetched file that is no longer the one of the manifest.

    Raises:
        AssetMissing: names the file, both digests and what to do.
    """
    for name, asset in assets.items():
        file = folder / name
        if file.is_file() and (digest := sha256_of(file)) != asset.sha256:
            raise AssetMissing(
                f"{file}: found sha256 {digest}, expected {asset.sha256}; delete it, and the next run fetches it again"
            )


def asset_entry(assets: dict[str, Asset]):
    """Params function: the manifest's entry as JSON, so that an edited entry is fetched anew and no other."""
    return lambda wildcards: assets[wildcards.asset].model_dump_json()


def asset_digest(assets: dict[str, Asset]):
    """The sha256 that Snakemake itself checks after the job."""
    return lambda wildcards: assets[wildcards.asset].sha256
