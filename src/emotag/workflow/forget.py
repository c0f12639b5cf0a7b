"""Forgets a person: removes every result that was made from their footage, and what was written about it.

What belongs to a person is told by names (results are keyed by identity and clip), by the people that corpora and priors
say they hold, and by the plan of the configuration. Others' avatars that began with a prior holding the person go too.
The footage itself and the configuration are the user's and stay.
"""

import base64
import binascii
import fcntl
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from emotag.errors import ArtifactMismatch, ConfigError, StateBusy
from emotag.io.artifact import read_people, write_atomic
from emotag.people import NAME
from emotag.workflow.derived import MARK, base_of
from emotag.workflow.identities import Plan
from emotag.workflow.moods import CALM

DRIVES = "drives"


@dataclass(frozen=True)
class Person:
    """All names that results of one person carry; `files` are their footage by the configuration."""

    names: frozenset[str]
    identities: frozenset[str]
    clips: frozenset[str]
    files: frozenset[str]


def person_of(name: str, tree: Mapping[str, Any], results: Path) -> Person:
    """The person called `name` (of an identity or of a `person`), by a configuration, valid or not, and by the results.

    Raises:
        ConfigError: it is no name, or nothing is known of it.
    """
    if not NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not a name; give the name of an identity, or of a person")
    declared = tree.get("identities")
    entries = {key: entry for key, entry in (declared or {}).items() if isinstance(entry, Mapping)}
    person = entries.get(name, {}).get("person") or name
    identities = {key for key, entry in entries.items() if name == key or person == (entry.get("person") or key)}
    if not identities and not any((results / kind / name).exists() for kind in ("identities", "clips")):
        raise ConfigError(
            f"{name}: neither declared under identities nor found in {results}/identities; check the name"
        )
    identities |= {name} if not identities or (results / "identities" / name).exists() else set()
    identities |= {path.name for key in set(identities) for root in roots(results) for path in root.glob(_derived(key))}
    clips, files = set(), set()
    for key in identities:
        own = entries.get(key, {}).get("clips") or {key: entries.get(key, {}).get("video")}
        clips |= {str(clip) for clip in own if MARK not in key}
        files |= {str(file) for file in own.values() if file}
        clips |= {path.name for path in results.glob(f"identities/{key}/*/") if path.name != DRIVES}
    return Person(frozenset({name, person} | identities), frozenset(identities), frozenset(clips), frozenset(files))


def _derived(identity: str) -> str:
    """Pattern of the folders of identities that tables derive of one."""
    return f"identities/{identity}{MARK}*"


def roots(results: Path) -> list[Path]:
    """The product's results, and those of each variant, which are laid out alike."""
    return [results, *sorted(results.glob("variants/*"))]


def belongings(person: Person, results: Path, prior_of: Mapping[str, str]) -> list[Path]:
    """Files and folders of `results` that were made from a person. `prior_of` says which prior other identities use; of
    variants that is not known, so there every avatar goes where a prior goes.
    """
    product, *variants = roots(results)
    found = set(_below(person, product, prior_of)) | set(results.glob("tables/*"))
    return sorted(found.union(*(_below(person, root, {}) for root in variants)))


def _below(person: Person, results: Path, prior_of: Mapping[str, str]) -> list[Path]:
    """What `belongings` is of one root."""
    found = [results / "identities" / name for name in person.identities]
    found += [results / "clips" / clip for clip in person.clips]
    found += [results / "state" / "adapt" / name for name in person.identities]
    found += [path for name in person.names for path in results.glob(f"summary/{name}.*")]
    found += [path for name in person.names for path in results.glob(f"summary/.{name}.*")]
    # What shows many people at once.
    found += [
        path for kind in ("report", "study", "study_key", "figures", "tables") for path in results.glob(f"{kind}/*")
    ]
    priors = list(_priors(person, results))
    found += priors
    lost = {str(path) for path in priors}
    for other in results.glob("identities/*"):
        begun = prior_of.get(base_of(other.name))
        if other.name not in person.identities and lost and (begun is None or begun in lost):
            found += [other / "avatar.safetensors", other / DRIVES, results / "state" / "adapt" / other.name]
            found += list(results.glob(f"summary/{other.name}.json"))
    words = person.names | person.clips | _audio_alone(person, results)
    for kind in ("logs", "benchmarks"):
        # Benchmarks of shared jobs list what they read.
        found += [path for path in results.glob(f"{kind}/*/*") if _job_names(path) & words or _speaks(path, person)]
    # Of jobs that were killed: what runs says so there too, and goes on.
    found += [path for path in results.glob("state/running/*") if _speaks(path, person)]
    found += [path for path in results.glob("speed/*") if _job_names(path) & words]
    found += [results / "audio" / name for name in _audio_alone(person, results)]
    return sorted({path for path in found if path.exists() or path.is_symlink()})


def _job_names(path: Path) -> set[str]:
    """What a log or benchmark is named after: identity, clip, drive's clip and person left out, without their prefixes."""
    names = set()
    for part in path.name.lstrip(".").split(".")[0].split("@"):
        for plain in (part, *(part.removeprefix(prefix) for prefix in ("self-", "audio-", "without-"))):
            names |= {plain, re.sub(r"-(first-|from-)?\d+(-\d+)?ms$", "", plain)}
    return names


def _audio_alone(person: Person, results: Path) -> frozenset[str]:
    """Driving audio that only this person's avatars speak, and the calm recordings of its voices."""
    users: dict[str, set[str]] = {}
    for drive in results.glob(f"identities/*/{DRIVES}/audio-*"):
        users.setdefault(drive.name.removeprefix("audio-"), set()).add(drive.parts[-3])
    alone = {name for name, identities in users.items() if identities <= person.identities}
    return frozenset(alone | {name + CALM for name in alone})


def _priors(person: Person, results: Path) -> Iterator[Path]:
    """Corpora and priors of clips that hold the person, or were made for them, with their training state."""
    for file in [*results.glob("corpus/clips/*"), *results.glob("prior/clips/*/*")]:
        left_out = file.stem if file.parent.name == "clips" else file.parent.name
        try:
            held = set(read_people(file))
        except ArtifactMismatch:
            held = set(person.names)
        if held & person.names or left_out.removeprefix("without-") in person.names:
            yield file
            for stage in ("pretrain", "pretrain_rendered"):
                yield from results.glob(f"state/{stage}/clips/{left_out}")
            for kind in ("logs", "benchmarks"):
                yield from results.glob(f"{kind}/pretrain*/clips@{left_out}[.@]*")
                yield from results.glob(f"{kind}/corpus_clips/{left_out}[.@]*")


def records(person: Person, folder: Path) -> list[Path]:
    """Snakemake's own records and logs (in `.snakemake`) that speak of the person's files."""
    files = [path for kind in ("metadata", "incomplete", "log", "auxiliary") for path in folder.glob(f"{kind}/**/*")]
    return sorted(path for path in files if path.is_file() and _speaks(path, person, _recorded(path, folder)))


def _recorded(path: Path, folder: Path) -> str:
    """The output that a record of Snakemake is about, or nothing."""
    # Names are base64 of the output's path, over several folders where that is long ("@" marks the folders).
    parts = path.relative_to(folder).parts[1:]
    try:
        return base64.b64decode("".join(part.removeprefix("@") for part in parts), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _speaks(path: Path, person: Person, name: str = "") -> bool:
    """Whether a text file, or the `name` it stands for, has a path of the person's results or footage."""
    words = "|".join(sorted(re.escape(word) for word in person.names | person.clips))
    mark = rf"[/@](self-|without-)?({words})(?=[/.@\"'\s,\]]|-(first|from|\d)|$)"
    text = name + "\n" + path.read_text(encoding="utf-8", errors="replace")
    return bool(re.search(mark, text)) or any(file in text for file in person.files)


def remove(person: Person, paths: list[Path], results: Path) -> None:
    """Delete files and folders, and the person's entries in configurations that were written into `results`.

    Raises:
        StateBusy: a training of this person is running; nothing has been removed then.
    """
    with ExitStack() as held:
        for lock in {lock for path in paths for lock in path.glob("**/lock")}:
            handle = held.enter_context(lock.open("a+"))
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise StateBusy(f"{lock.parent}: a training is running; end it, then forget again") from error
        for path in paths:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for file in results.glob("*.yaml"):
        tree = yaml.safe_load(file.read_text(encoding="utf-8"))
        declared = tree.get("identities") if isinstance(tree, dict) else None
        if isinstance(declared, dict) and declared.keys() & person.identities:
            tree["identities"] = {name: entry for name, entry in declared.items() if name not in person.identities}
            write_atomic(file, yaml.safe_dump(tree, sort_keys=False, allow_unicode=True).encode())


def forget(
    name: str,
    tree: Mapping[str, Any],
    prior_of: Mapping[str, str] | None = None,
    results: Path = Path("results"),
    snakemake: Path = Path(".snakemake"),
) -> list[str]:
    """Remove all that was derived from the person called `name`; what was done, in lines.

    Raises:
        ConfigError, StateBusy: nothing is known of the name, or a training of it is running.
    """
    person = person_of(name, tree, results)
    paths = belongings(person, results, prior_of or {}) + records(person, snakemake)
    remove(person, paths, results)
    lines = [f"removed {path}" for path in paths]
    lines.append(f"{len(paths)} files and folders of {', '.join(sorted(person.names))} are removed")
    kept = sorted(person.files)
    if kept:
        lines.append(f"not touched: the footage itself ({', '.join(kept)}) and the entries of your configuration")
    return lines


def forget_planned(plan: Plan, tree: Mapping[str, Any], log: Path) -> None:
    """Forget whom the configuration says, `tree` being what was given of it; the log names nobody."""
    priors = {name: plan.priors.of(name) for name in plan.config.identities}
    lines = forget(plan.config.forget or "", tree, priors)
    print(*lines, sep="\n", file=sys.stderr)
    write_atomic(log, b"done; what was removed was said on the terminal\n")
