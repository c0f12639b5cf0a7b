"""Lets jobs find this Python and this source tree, however Snakemake was started, and say that they run."""

import os
import sys
from collections.abc import MutableMapping

from emotag import heartbeat


def prepare(sources: str, environment: MutableMapping[str, str] = os.environ) -> None:
    """Put the running interpreter's folder first on PATH and `sources` first on PYTHONPATH, and name the folder for heartbeats.

    `.venv/bin/snakemake` then works without activation and under a bare PATH, and a copy of the tree runs its own code.
    """
    for name, first, default in (("PATH", os.path.dirname(sys.executable), os.defpath), ("PYTHONPATH", sources, "")):
        rest = [part for part in environment.get(name, default).split(os.pathsep) if part and part != first]
        environment[name] = os.pathsep.join([first, *rest])
    environment[heartbeat.VARIABLE] = heartbeat.FOLDER
