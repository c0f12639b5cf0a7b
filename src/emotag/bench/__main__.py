"""`python -m emotag.bench`: how fast the renderers are on this machine's processor (`raster`) and GPU (`gpu`), and how many
frames and training steps a second an avatar makes (`job`)."""

import argparse
import logging
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from emotag.bench import gpu, job, raster
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
    chosen = parser.parse_args(arguments)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    given = {name: getattr(chosen, name) for name in AvatarFiles.__dataclass_fields__}
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
    if chosen.command == "gpu":
        return gpu, gpu.run(chosen.scenes, chosen.batches, chosen.rounds, files)
    if chosen.command == "raster":
        return raster, raster.run(chosen.scenes, chosen.rounds, files)
    if files is None:
        raise ConfigError(
            "bench job: found not all of --head, --subject, --avatar and --motion, expected a trained avatar"
        )
    return job, job.run(chosen.presets, chosen.rounds, files)


if __name__ == "__main__":
    raise SystemExit(main())
