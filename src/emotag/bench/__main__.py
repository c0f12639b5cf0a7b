"""`python -m emotag.bench raster`, `gpu`, `job`, `providers` and `survival`: how fast the renderers are on this machine's
processor and on its GPU, how many frames and training steps a second an avatar makes, seconds and memory of the networks of
docs/providers.md, and whether a pipeline that was killed ends with the bytes of one that was not."""

import argparse
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from emotag.bench import gpu, job, providers, raster, survival
from emotag.bench.scenes import AvatarFiles
from emotag.errors import ConfigError, EmotagError
from emotag.io.artifact import write_json
from emotag.presets import PRESETS


def main(arguments: list[str] | None = None) -> int:
    """Run one measurement; 2 for what the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m emotag.bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for bench, name, rounds in ((raster, "raster", 11), (gpu, "gpu", 50), (job, "job", 10)):
        command = commands.add_parser(name, help=bench.__doc__)
        command.add_argument("--json", type=Path, help="write the figures here too")
        command.add_argument("--rounds", type=int, default=rounds, help="medians are of this many rounds")
        for file in AvatarFiles.__dataclass_fields__:
            command.add_argument(f"--{file}", type=Path, help=f"artifact of the avatar scene: {file}")
        if name == "job":
            command.add_argument(
                "--presets", nargs="*", default=["laptop"], choices=PRESETS, help="scales to measure at"
            )
        else:
            command.add_argument("--scenes", nargs="*", default=list(bench.SCENES), choices=bench.SCENES)
        if name == "gpu":
            command.add_argument("--batches", nargs="*", type=int, default=[1, 8], help="frames a call")
    command = commands.add_parser("providers", help=providers.__doc__)
    command.add_argument("--json", type=Path, help="write the figures here too")
    command.add_argument("--only", nargs="*", default=list(providers.CASES), choices=providers.CASES)
    command = commands.add_parser("survival", help=survival.__doc__)
    command.add_argument("--json", type=Path, required=True, help="rows go here; those in it are not done again")
    command.add_argument("--work", type=Path, default=Path("results/survival"), help="folder for working trees")
    command.add_argument("--only", nargs="*", default=[], help="cases whose name holds one of these words")
    command.add_argument("--cores", type=int, default=1)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    if chosen.command == "survival":
        return survive(chosen)
    given = {name: getattr(chosen, name, None) for name in AvatarFiles.__dataclass_fields__}
    try:
        files = AvatarFiles(**given) if all(given.values()) else None
        bench, result = measured(chosen, files)
        print(bench.table(result))
        if chosen.json:
            write_json(chosen.json, result)
    except EmotagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def measured(chosen: argparse.Namespace, files: AvatarFiles | None) -> tuple[ModuleType, dict[str, Any]]:
    """The measurement that was asked for, and what it found.

    Raises:
        ConfigError: it needs an avatar and there is none.
    """
    if chosen.command == "providers":
        return providers, providers.run(chosen.only)
    if chosen.command == "gpu":
        return gpu, gpu.run(chosen.scenes, chosen.batches, chosen.rounds, files)
    if chosen.command == "raster":
        return raster, raster.run(chosen.scenes, chosen.rounds, files)
    if files is None:
        raise ConfigError(
            "bench job: found not all of --head, --subject, --avatar and --motion, expected a trained avatar"
        )
    return job, job.run(chosen.presets, chosen.rounds, files)


def survive(chosen: argparse.Namespace) -> int:
    """Run the kill matrix; 1 if a case left other bytes or lost too much."""
    try:
        found = survival.run(chosen.json, chosen.work.absolute(), chosen.only, chosen.cores)
    except EmotagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(survival.table(found))
    faults = {name: row["fault"] for name, row in found["rows"].items() if row["fault"]}
    for name, fault in faults.items():
        print(f"FAULT {name}: {fault}")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
