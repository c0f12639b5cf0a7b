"""Corpus manifests: which clips a corpus has, as data (data/corpora/*.yaml), and what of them is there.

    corpus: {manifest: data/corpora/hdtf_neutral.yaml}

makes one identity a person of the clips that are there, and the prior is trained on those of split `train`.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, StringConstraints, ValidationError, model_validator

from emotag.complaints import first_complaint
from emotag.config import DAY_S, Settings
from emotag.errors import ConfigError
from emotag.people import AdaptPart, File, Name, Text
from emotag.types import EMOTIONS

SPLITS = ("train", "val", "test")
Emotional = Literal[*EMOTIONS, "contempt"]


class Entry(Settings):
    """One clip."""

    id: Name = Field(description="name of the clip, over all corpora")
    person: Name
    clip: File = Field(description="file, relative to the corpus' root")
    seconds: float | None = Field(None, gt=0, le=DAY_S, description="length, where it is known")
    split: Literal[*SPLITS] = "train"
    emotion: Emotional | None = Field(None, description="where it is acted or rated")
    level: int | None = Field(None, ge=0, le=3, description="intensity of the emotion; 0 for neutral")
    language: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")] | None = None
    licence: Text | None = Field(None, description="where it differs from the corpus'")
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = None


class Manifest(Settings):
    """A corpus: where it comes from, on what terms, and its clips."""

    id: Name
    root: File = Field(description="folder of the clips, relative to where Snakemake runs")
    source: Text
    licence: Text
    consent: Text = Field(description="on what grounds the people are shown")
    clips: list[Entry] = Field(min_length=1)

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "Manifest":
        seen = set()
        for entry in self.clips:
            if entry.id in seen:
                raise ValueError(f"clip {entry.id!r} is listed twice; remove one")
            seen.add(entry.id)
        return self

    def file(self, entry: Entry) -> Path:
        """Where a clip is to be."""
        return Path(self.root, entry.clip)

    def present(self) -> list[Entry]:
        """The clips that are there."""
        return [entry for entry in self.clips if self.file(entry).is_file()]


def load(path: Path) -> Manifest:
    """Read a manifest.

    Raises:
        ConfigError: it is missing, no YAML, or does not fit the model.
    """
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"corpus.manifest: {path} cannot be read ({error.strerror}); check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not YAML ({' '.join(str(error).split())}); correct it") from error
    if not isinstance(tree, dict):
        raise ConfigError(f"{path}: found {type(tree).__name__}, expected id, root, source, licence, consent and clips")
    try:
        return Manifest.model_validate(tree)
    except ValidationError as error:
        raise ConfigError(first_complaint(error, Manifest, str(path), tree)) from error


def identities(manifest: Manifest) -> dict[str, dict[str, Any]]:
    """Settings of one identity a person of the clips that are there, as `identities` of the configuration takes them."""
    people: dict[str, dict[str, Any]] = {}
    for entry in manifest.present():
        name = f"{manifest.id}-{entry.person}"
        settings = people.setdefault(
            name,
            {
                "person": entry.person,
                "clips": {},
                "source": manifest.source,
                "licence": entry.licence or manifest.licence,
                "consent": manifest.consent,
            },
        )
        settings["clips"][entry.id] = str(manifest.file(entry))
        if "adapt_on" not in settings or (entry.emotion == "neutral" and settings.get("_calm") is None):
            longest = AdaptPart.model_fields["seconds"].default
            seconds = max(1.0, min(longest, entry.seconds or longest))
            settings["adapt_on"] = {"clip": entry.id, "seconds": seconds}
            settings["_calm"] = True if entry.emotion == "neutral" else None
    for settings in people.values():
        settings.pop("_calm")
    return people


def for_training(manifest: Manifest) -> list[str]:
    """Names of the clips that are there and in split `train`."""
    return [entry.id for entry in manifest.present() if entry.split == "train"]


def coverage(manifest: Manifest) -> list[str]:
    """What is there of what is listed, as lines: in all, by split, and by emotion and level where these are given."""
    there = {entry.id for entry in manifest.present()}

    def line(title: str, chosen: list[Entry]) -> str:
        mine = [entry for entry in chosen if entry.id in there]
        people, all_people = ({entry.person for entry in entries} for entries in (mine, chosen))
        seconds = sum(entry.seconds or 0.0 for entry in mine)
        known = f", {seconds:.0f} s" if seconds else ""
        return f"{title}: {len(mine)} of {len(chosen)} clips, {len(people)} of {len(all_people)} people{known}"

    lines = [line(f"{manifest.id} ({manifest.root})", manifest.clips)]
    for split in SPLITS:
        if chosen := [entry for entry in manifest.clips if entry.split == split]:
            lines.append(line(f"  {split}", chosen))
    for kind in sorted({(entry.emotion, entry.level or 0) for entry in manifest.clips if entry.emotion}):
        chosen = [entry for entry in manifest.clips if (entry.emotion, entry.level or 0) == kind]
        lines.append(line(f"  {kind[0]} level {kind[1]}", chosen))
    return lines


def check_digests(manifest: Manifest) -> list[str]:
    """Clips that are there and are not the ones the manifest means, by their sha256 where one is given."""
    wrong = []
    for entry in manifest.present():
        if entry.sha256 is None:
            continue
        with manifest.file(entry).open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != entry.sha256:
            wrong.append(
                f"{manifest.file(entry)}: sha256 is {found[:12]}…, expected {entry.sha256[:12]}…; get it again"
            )
    return wrong
