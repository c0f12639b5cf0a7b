"""`python -m emotag.bench raster` and `gpu`: how fast the renderers are on this machine's processor and on its GPU.

`python -m emotag.bench providers`: seconds and memory of the networks that play the roles of docs/providers.md.
"""

import argparse
import logging
import sys
from pathlib import Path

from emotag.bench import gpu, providers, raster
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
    parts = commands.add_parser("providers", help=providers.__doc__)
    parts.add_argument("--json", type=Path, help="write the figures here too")
    parts.add_argument("--only", nargs="*", default=list(providers.CASES), choices=providers.CASES)
    chosen = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    given = {name: getattr(chosen, name, None) for name in AvatarFiles.__dataclass_fields__}
    try:
        files = AvatarFiles(**given) if all(given.values()) else None
        if chosen.command == "providers":
            result = providers.run(chosen.only)
            print(providers.table(result))
        elif chosen.command == "gpu":
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


if __name__ == "__main__":
    raise SystemExit(main())
