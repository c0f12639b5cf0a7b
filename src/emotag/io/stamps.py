"""What identifies the files that a provider works with: name, revision and sha256, for the provenance of an artifact."""

from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from emotag.errors import AssetMissing
from emotag.io.artifact import read_json
from emotag.io.assets import revision_of, sha256_of

# The file of weights in a model folder, safetensors before pickle; CTranslate2's last.
WEIGHTS = ("model.safetensors", "pytorch_model.bin", "model.bin")


def stamp(*files: Path, packages: Sequence[Path] = ()) -> dict[str, list[dict[str, str]]]:
    """`{"made_with": [{name, sha256, revision where one is known}, …]}` of files and model folders, and of environments of
    their own by the stamp of each: the name is that of the package it is for, the digest that of its list."""
    return {"made_with": [_one(Path(file)) for file in files] + [_environment(Path(ready)) for ready in packages]}


def package_stamp(package: str, member: str) -> dict[str, list[dict[str, str]]]:
    """The same of a model file inside an installed `package`, whose version is the revision."""
    installed = distribution(package)
    file = Path(str(installed.locate_file(member)))
    return {"made_with": [{"name": f"{package}/{file.name}", "sha256": sha256_of(file), "revision": installed.version}]}


def _one(file: Path) -> dict[str, Any]:
    found = {"name": file.name, "sha256": sha256_of(weights_file(file) if file.is_dir() else file)}
    revision = revision_of(file)
    return found | ({"revision": revision} if revision else {})


def _environment(ready: Path) -> dict[str, Any]:
    found, name = read_json(ready), ready.parent.name
    return {"name": name, "sha256": found["list"], "revision": found["packages"][name]}


def weights_file(folder: Path) -> Path:
    """The file of weights in a model folder (pickles are read with weights only).

    Raises:
        AssetMissing: there is none.
    """
    for name in WEIGHTS:
        if (Path(folder) / name).is_file():
            return Path(folder) / name
    raise AssetMissing(
        f"{folder}: found neither {' nor '.join(WEIGHTS)}; download the model into this folder (snakemake assets says how)"
    )
