"""`python -m emotag.bench raster`: how fast the renderers are on this machine, against the issue's scenes and limits."""

import argparse
import logging
import sys
from pathlib import Path

from emotag.bench import raster
from emotag.bench.scenes import AvatarFiles
from emotag.errors import EmotagError
from emotag.io.artifact import write_json


def main(arguments: list[str] | None = None) -> int:
    """Run one measurement; 2 for what the user can mend."""
    parser = argparse.ArgumentParser(prog="python -m emotag.bench", description=__doc__)
    command = parser.add_subparsers(dest="command", required=True).add_parser("raster", help=raster.__doc__)
    command.add_argument("--json", type=Path, help="write the figures here too")
    command.add_argument("--rounds", type=int, default=11, help="medians are of this many interleaved rounds")
    command.add_argument("--scenes", nargs="*", default=list(raster.SCENES), choices=raster.SCENES)
    for name in AvatarFiles.__dataclass_fields__:
        command.add_argument(f"--{name}", type=Path, help=f"artifact of the avatar scene: {name}")
    chosen = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    given = {name: getattr(chosen, name) for name in AvatarFiles.__dataclass_fields__}
    try:
        files = AvatarFiles(**given) if all(given.values()) else None
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
