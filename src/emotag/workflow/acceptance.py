"""Digests that the manifest cannot state: recorded once by whoever accepts a file, checked from then on.

The record is `data/assets.lock.json`, `{asset: {sha256, source}}`. Without an entry no file that a program downloads is used;
an entry whose source is no longer the manifest's counts for nothing.
"""

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from emotag.errors import AssetMissing, ConfigError
from emotag.io.artifact import read_json, write_json
from emotag.io.assets import Asset, Hub, download, sha256_of, source_of

LOCK = Path("data/assets.lock.json")


def with_accepted(assets: Mapping[str, Asset], lock: Path) -> dict[str, Asset]:
    """The assets, each without a digest in the manifest given the one that was accepted, if one was.

    Raises:
        ArtifactMismatch, ConfigError: the record cannot be read.
    """
    accepted = _read(lock)
    return {
        name: asset.model_copy(update={"sha256": accepted[name]["sha256"]})
        if asset.sha256 is None and accepted.get(name, {}).get("source") == source_of(asset)
        else asset
        for name, asset in assets.items()
    }


def accept(asset: Asset, by_hand: Path, lock: Path, sha256: str | None) -> Iterator[str]:
    """Put the asset into folder `by_hand` and say what it is, in lines; with its `sha256`, record that as accepted.

    Raises:
        ConfigError: its digest or revision is stated by the manifest, so there is nothing to accept.
        AssetMissing: it cannot be had, or has another digest.
    """
    if asset.sha256 is not None or isinstance(asset.source, Hub):
        raise ConfigError(f"{asset.name}: data/assets.yaml states what it must be; there is nothing to accept")
    place = by_hand / asset.name
    if not place.is_file():
        by_hand.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=by_hand, prefix=f".{asset.name}.") as folder:
            download(asset, Path(folder), by_hand).replace(place)
    digest = sha256_of(place)
    if sha256 is not None and sha256.lower() != digest:
        raise AssetMissing(f"{place}: found sha256 {digest}, expected {sha256}; delete it, or look where yours is from")
    yield f"{asset.name}: {asset.what}"
    yield f"licence: {asset.licence}" + (f"; to be accepted by {asset.accept_by}" if asset.accept_by else "")
    yield f"from: {source_of(asset)}"
    yield f"here: {place}, {place.stat().st_size} bytes, sha256 {digest}"
    if sha256 is None:
        yield f"nothing is recorded yet; to use it: python -m emotag accept {asset.name} --sha256 {digest}"
        return
    write_json(lock, _read(lock) | {asset.name: {"sha256": digest, "source": source_of(asset)}})
    yield f"recorded in {lock}: any other file is refused from now on"


def _read(lock: Path) -> dict[str, dict[str, str]]:
    """The record; empty where there is none."""
    if not lock.is_file():
        return {}
    content = read_json(lock)
    for name, entry in content.items():
        if not isinstance(entry, dict) or {"sha256", "source"} - entry.keys():
            raise ConfigError(f"{lock}, {name}: found {entry!r}, expected sha256 and source; accept the file again")
    return content
