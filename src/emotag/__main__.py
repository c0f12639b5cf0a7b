"""`python -m emotag`: look into an artifact, check a configuration, write its schema, watch the jobs.

inspect FILE                 kind, fields and provenance of any artifact
check [--configfile F …]     validate config.yaml with files on top, as Snakemake would; exit code 2 if wrong
schema                       write src/emotag/config.schema.json
forget NAME [--configfile F …]
                             remove every result that was made from a person, by the name of an identity or a person
watch [STATE] [--once] [--all]
                             show every running job until interrupted; STATE is results/state
clips FOLDER OUT [NAME …]    write a configuration with one identity a clip of a folder (make bench-clips)
corpus MANIFEST              say what of a corpus' manifest is there, and check the digests it gives
corpus FOLDER --form hdtf|mead [--out F]
                             the same for a folder in a data set's own form; F is its manifest
accept NAME [--sha256 D]     get a file of data/assets.yaml whose sha256 is not known and say what it is; with D, which
                             must be its sha256, record it in data/assets.lock.json, so that the file may be used
page CONFIG OUT [--remarks F]
                             write the results page of all its identities, with what could not be made; the text of F
                             is put into it where there is such a file
publish TABLES OUT [--title T] [--command C] [--remarks F]
                             write the finished tables of the folder TABLES (results/tables) in the form that is committed:
                             CSV files and the page tables.md; C is the command they were made by
"""

import argparse
import json
import os
import sys
from pathlib import Path

from emotag import manifest
from emotag.errors import ConfigError, EmotagError
from emotag.io.artifact import read_tensors, write_atomic
from emotag.project import Config, check_corpus, check_files, resolve
from emotag.stages.page import run as write_page
from emotag.training.watch import watch
from emotag.workflow.acceptance import LOCK, accept
from emotag.workflow.assets import BY_HAND, read_manifest
from emotag.workflow.clips import clips_config
from emotag.workflow.corpora import FORMS, as_yaml, manifest_of
from emotag.workflow.forget import forget
from emotag.workflow.publish import run as publish
from emotag.yaml_files import load_files

MANIFEST = Path("data/assets.yaml")
SCHEMA = Path(__file__).with_name("config.schema.json")


def inspect(path: Path) -> None:
    """Print what an artifact holds."""
    metadata, tensors = read_tensors(path)
    print(f"{path}: {metadata.get('kind', 'unknown kind')}, schema {metadata.get('schema', '-')}")
    for name, array in sorted(tensors.items()):
        spread = f"{array.min():.4g} to {array.max():.4g}" if array.size and array.dtype.kind in "fiu" else ""
        print(f"  {name:40} {array.dtype!s:8} {list(array.shape)!s:20} {spread}")
    for title in ("fields", "provenance"):
        print(f"{title}: {json.dumps(json.loads(metadata.get(title, '{}')), indent=2)}")


def default_files() -> list[Path]:
    """The configuration that Snakemake always reads, where there is one."""
    return [Path("config.yaml")] if Path("config.yaml").exists() else []


def check(configfiles: list[Path]) -> None:
    """Validate config.yaml with `configfiles` merged over it."""
    config = resolve(load_files(default_files() + configfiles))
    check_corpus(config)
    check_files(config)
    print(f"good: preset {config.preset}, adapting {config.adapt.identity}; known: {', '.join(config.identities)}")


def show_corpus(place: Path, form: str | None, out: Path | None) -> int:
    """Print the coverage of a manifest, or of a folder in a data set's form (and write its manifest); 2 if a file is
    not the one that is meant."""
    listed = manifest_of(place, form) if form else manifest.load(place)
    if out is not None:
        write_atomic(out, as_yaml(listed).encode())
    wrong = manifest.check_digests(listed)
    print(*manifest.coverage(listed), *wrong, sep="\n")
    return 2 if wrong else 0


def accept_asset(name: str, sha256: str | None) -> None:
    """Get an asset of unknown digest and print what it is; record `sha256` as accepted where it is given."""
    assets = read_manifest(MANIFEST, Path(os.devnull))
    if name not in assets:
        raise ConfigError(f"{name}: found no such asset in {MANIFEST}, expected one of {', '.join(assets)}")
    for line in accept(assets[name], BY_HAND, LOCK, sha256):
        print(line)


def schema_text() -> str:
    """JSON schema of config.yaml, from which editors complete and check it."""
    schema = Config.model_json_schema()
    # The embedded identity is always there, so nothing is compulsory.
    schema.pop("required", None)
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog="python -m emotag", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("inspect").add_argument("file", type=Path)
    commands.add_parser("check").add_argument("--configfile", type=Path, nargs="*", default=[])
    commands.add_parser("schema")
    watched = commands.add_parser("watch")
    watched.add_argument("state", type=Path, nargs="?", default=Path("results/state"))
    watched.add_argument("--once", action="store_true")
    watched.add_argument("--all", action="store_true", dest="everything")
    clips = commands.add_parser("clips")
    clips.add_argument("folder", type=Path)
    clips.add_argument("out", type=Path)
    clips.add_argument("names", nargs="*")
    corpus = commands.add_parser("corpus")
    corpus.add_argument("place", type=Path)
    corpus.add_argument("--form", choices=sorted(FORMS))
    corpus.add_argument("--out", type=Path)
    forgotten = commands.add_parser("forget")
    forgotten.add_argument("name")
    forgotten.add_argument("--configfile", type=Path, nargs="*", default=[])
    accepted = commands.add_parser("accept")
    accepted.add_argument("name")
    accepted.add_argument("--sha256")
    page = commands.add_parser("page")
    page.add_argument("config", type=Path)
    page.add_argument("out", type=Path)
    page.add_argument("--remarks", type=Path)
    published = commands.add_parser("publish")
    published.add_argument("tables", type=Path)
    published.add_argument("out", type=Path)
    published.add_argument("--title", default="Tables")
    published.add_argument("--command", dest="made_by")
    published.add_argument("--remarks", type=Path)
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "inspect":
            inspect(chosen.file)
        elif chosen.command == "check":
            check(chosen.configfile)
        elif chosen.command == "forget":
            print(*forget(chosen.name, load_files(default_files() + chosen.configfile)), sep="\n")
        elif chosen.command == "clips":
            write_atomic(chosen.out, clips_config(chosen.folder, chosen.names).encode())
        elif chosen.command == "corpus":
            return show_corpus(chosen.place, chosen.form, chosen.out)
        elif chosen.command == "accept":
            accept_asset(chosen.name, chosen.sha256)
        elif chosen.command == "page":
            names = list(resolve(load_files([chosen.config])).identities)
            summaries = [Path(f"results/summary/{name}.json") for name in names]
            write_page(summaries=summaries, out=chosen.out, wanted=names, remarks=chosen.remarks)
        elif chosen.command == "publish":
            publish(
                tables=chosen.tables,
                out=chosen.out,
                title=chosen.title,
                command=chosen.made_by,
                remarks=chosen.remarks,
            )
        elif chosen.command == "schema":
            SCHEMA.write_text(schema_text(), encoding="utf-8")
        else:
            watch(chosen.state, chosen.once, chosen.everything)
    except EmotagError as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
