"""`python -m emotag.bench raster`, `gpu` and `survival`: how fast the renderers are on this machine's processor and on its
GPU, and whether a pipeline that was killed ends with the bytes of one that was not."""

import argparse
import logging
import sys
from pathlib import Path

from emotag.bench import gpu, raster, survival
from emotag.bench.scenes import AvatarFiles
from emotag.errors import EmotagError
from emotag.io.artifact import write_json


def main(arguments: list[str] | None = None) -> int:
    """Run one measurement; 2 for what the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m emotag.bench", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for bench, name, rounds in ((raster, "raster", 11), (gpu, "gpu", 50)):
        command = commands.add_parser(name, help=bench.__doc__)
        command.add_argument("--json", type=Path, help="write the figures here too")
        command.add_argument("--rounds", type=int, default=rounds, help="medians are of this many rounds")
        command.add_argument("--scenes", nargs="*", default=list(bench.SCENES), choices=bench.SCENES)
        for file in AvatarFiles.__dataclass_fields__:
            command.add_argument(f"--{file}", type=Path, help=f"artifact of the avatar scene: {file}")
    command.add_argument("--batches", nargs="*", type=int, default=[1, 8], help="frames a call")
    command = commands.add_parser("survival", help=survival.__doc__)
    command.add_argument("--json", type=Path, required=True, help="rows go here; those in it are not done again")
    command.add_argument("--work", type=Path, default=Path("results/survival"), help="folder for working trees")
    command.add_argument("--only", nargs="*", default=[], help="cases whose name holds one of these words")
    command.add_argument("--cores", type=int, default=1)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    if chosen.command == "survival":
        return survive(chosen)
    given = {name: getattr(chosen, name) for name in AvatarFiles.__dataclass_fields__}
    try:
        files = AvatarFiles(**given) if all(given.values()) else None
        if chosen.command == "gpu":
            result = gpu.run(chosen.scenes, chosen.batches, chosen.rounds, files)
            print(gpu.table(result))
        else:
            result = raster.run(chosen.scenes, chosen.rounds, files)
            print(raster.table(result))
        if chosen.json:
            write_json(chosen.json, result)
    except EmotagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


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
