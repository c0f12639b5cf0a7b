"""Manifests of data sets in their own folder forms, made from whatever part of them is there.

HDTF (Zhang et al., CVPR 2021): clips that users cut themselves, `<video>_<index>.mp4`, with or without the list's prefix
(RD_, WDA_, WRA_); lengths are in its lists `*_annotion_time.txt` (their spelling), "video.mp4 mm:ss-mm:ss …".
MEAD (Wang et al., ECCV 2020): `<M003>/video/front/<emotion>/level_<1-3>/<001>.mp4`, emotions under its own names; its neutral
clips have level 1 only, which is level 0 here.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from emotag.errors import ConfigError
from emotag.manifest import Manifest

HDTF_CLIP = re.compile(r"(?:(?P<set>RD|WDA|WRA)_)?(?P<video>(?P<person>.+?)\d*)_(?P<index>\d+)")
SPAN = re.compile(r"(\d+):(\d+)-(\d+):(\d+)")
MEAD_EMOTIONS = {
    "angry": "angry", "contempt": "contempt", "disgusted": "disgust", "fear": "fear", "happy": "happy",
    "neutral": "neutral", "sad": "sad", "surprised": "surprise",
}  # fmt: skip
TERMS = {
    "hdtf": {
        "source": "HDTF, https://github.com/MRzzm/HDTF (videos of their own owners)",
        "licence": "annotations CC BY 4.0; videos: their owners' terms",
        "consent": "public speeches; the user answers for their use",
    },
    "mead": {
        "source": "MEAD, https://wywu.github.io/projects/MEAD/MEAD.html",
        "licence": "MEAD terms of use: research only",
        "consent": "actors recorded for MEAD; the user has signed its terms",
    },
}  # fmt: skip


def hdtf(root: Path) -> list[dict[str, Any]]:
    """Entries of the HDTF clips under `root`, with their lengths where the time lists lie there too."""
    lengths = {}
    for path in sorted(root.rglob("*_annotion_time.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            video, _, spans = line.partition(".mp4")
            for index, span in enumerate(SPAN.findall(spans)):
                start_min, start, end_min, end = map(int, span)
                lengths[video, index] = float(60 * (end_min - start_min) + end - start)
    entries = []
    for path in sorted(root.rglob("*.mp4")):
        if found := HDTF_CLIP.fullmatch(path.stem):
            known = {"seconds": lengths.get((found["video"], int(found["index"])))}
            entries.append(_entry(path, root, path.stem, found["person"], known | {"language": "en"}))
    return entries


def mead(root: Path) -> list[dict[str, Any]]:
    """Entries of the front views of MEAD under `root`."""
    entries = []
    for path in sorted(root.glob("*/video/front/*/level_*/*.mp4")):
        person, _, _, emotion, level, _ = path.relative_to(root).parts
        if emotion not in MEAD_EMOTIONS:
            raise ConfigError(f"{path}: found emotion {emotion!r}, expected one of {', '.join(MEAD_EMOTIONS)}")
        ours = MEAD_EMOTIONS[emotion]
        strength = 0 if ours == "neutral" else int(level.removeprefix("level_"))
        known = {"emotion": ours, "level": strength, "language": "en"}
        entries.append(
            _entry(path, root, f"{person}-{emotion}-{level.removeprefix('level_')}-{path.stem}", person, known)
        )
    return entries


FORMS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {"hdtf": hdtf, "mead": mead}


def manifest_of(root: Path, form: str) -> Manifest:
    """The manifest of what is in a folder; every tenth person (by name) is for validation, the next for tests.

    Raises:
        ConfigError: nothing in the folder has the data set's form.
    """
    entries = FORMS[form](root)
    if not entries:
        raise ConfigError(f"{root}: found no clip in the form of {form.upper()} (docs/corpus.md); check the folder")
    people = sorted({entry["person"] for entry in entries})
    splits = {person: {8: "val", 9: "test"}.get(number % 10, "train") for number, person in enumerate(people)}
    clips = [entry | {"split": splits[entry["person"]]} for entry in entries]
    return Manifest.model_validate({"id": form, "root": str(root), "clips": clips} | TERMS[form])


def as_yaml(manifest: Manifest) -> str:
    """The text of a manifest, without what is not known."""
    tree = manifest.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(tree, sort_keys=False, allow_unicode=True)


def _entry(path: Path, root: Path, name: str, person: str, known: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": re.sub(r"[^A-Za-z0-9_-]+", "-", name),
        "person": re.sub(r"[^A-Za-z0-9_-]+", "-", person),
        "clip": str(path.relative_to(root)),
    } | {key: value for key, value in known.items() if value is not None}
