"""A configuration of a folder of clips, for `make bench-clips`: one identity a clip, beside the embedded one."""

import re
from pathlib import Path

import yaml

from emotag.errors import ConfigError
from emotag.sections import DEMO

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".avi", ".m4v")


def clips_config(folder: Path, only: list[str]) -> str:
    """YAML for --configfile: every clip of `folder`, or those named in `only` (stems).

    Raises:
        ConfigError: the folder or a clip is not there.
    """
    found = {name_of(path): path for path in sorted(folder.glob("*")) if path.suffix.lower() in SUFFIXES}
    if not found:
        raise ConfigError(f"{folder}: no clips here (looked for {', '.join(SUFFIXES)}); check the path")
    unknown = sorted(set(only) - {DEMO, *found})
    if unknown:
        raise ConfigError(f"{folder}: no clip named {', '.join(unknown)}; there are {', '.join(found)}")
    terms = {"source": str(folder), "licence": "as the folder's owner states", "consent": "given to the folder's owner"}
    chosen = {name: {"video": str(path), **terms} for name, path in found.items() if not only or name in only}
    return yaml.safe_dump({"identities": chosen}, sort_keys=False, allow_unicode=True)


def name_of(path: Path) -> str:
    """A clip's stem as the name of an identity."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem).strip("-_") or "clip"
