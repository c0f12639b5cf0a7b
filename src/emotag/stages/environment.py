"""A Python environment of its own, for a part whose packages must not stand beside the pipeline's.

Reads a locked list of packages (envs/NAME.txt). Makes the environment in the folder of `out`, anew, and writes `out` last:
digest of the list, Python's version and the packages as installed. The environment is ready where that file is.
"""

import json
import logging
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from emotag import stage
from emotag.errors import AssetMissing
from emotag.io.artifact import write_json

log = logging.getLogger(__name__)


def run(*, packages: Path, out: Path) -> None:
    """Build the environment with the running Python; pip takes exactly the packages listed.

    Raises:
        AssetMissing: a package cannot be had or installed.
    """
    folder = out.parent
    # What stands there was cut off, or is of another list.
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python = interpreter(out)
    call(python, "install", "--quiet", "--no-deps", "--no-input", "-r", str(packages))
    listed = json.loads(call(python, "list", "--format=json"))
    stamp = {
        "packages": {entry["name"]: entry["version"] for entry in listed},
        "python": platform.python_version(),
        **stage.digests(list=packages),
    }
    log.info("%s: %d packages", folder, len(stamp["packages"]))
    write_json(out, stamp)


def interpreter(stamp: Path) -> Path:
    """The Python of an environment, by the file that says it is ready."""
    return stamp.absolute().parent / "bin" / "python"


def call(python: Path, *arguments: str) -> str:
    """Run the environment's pip and return what it prints; its last line of complaint is kept."""
    command = [str(python), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or done.stderr.splitlines()
        raise AssetMissing(
            f"{' '.join(arguments[-1:])}: pip could not install it ({(lines or ['no message'])[-1].strip()}); "
            f"it needs a package registry, and Python 3.11 on Linux (this is {sys.version.split()[0]})"
        )
    return done.stdout


if __name__ == "__main__":
    stage.main(run)
