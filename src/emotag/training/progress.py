"""Progress of a training job: a JSON line every N steps in its state folder, a human line on stderr, and the reader."""

import json
import os
import resource
import socket
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch


@dataclass
class Progress:
    """Writes the mean of each loss over the last `every` steps to `path`; `title` names the job."""

    path: Path
    title: str
    every: int = 20
    quiet: bool = False
    _sums: dict[str, torch.Tensor] = field(default_factory=dict, repr=False)
    _count: int = field(default=0, repr=False)
    _since: float = field(default_factory=time.monotonic, repr=False)

    def step(self, phase: str, step: int, total: int, losses: Mapping[str, torch.Tensor]) -> None:
        """Record the losses of `step` (counted from 1, of `total`)."""
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0) + value.detach()
        self._count += 1
        if step % self.every and step != total:
            return
        elapsed, self._since = time.monotonic() - self._since, time.monotonic()
        line = {
            "title": self.title,
            "phase": phase,
            "step": step,
            "total": total,
            "losses": {name: float(value) / self._count for name, value in self._sums.items()},
            "seconds_per_step": round(elapsed / self._count, 4),
            **self._process(),
        }
        self._sums, self._count = {}, 0
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("a") as file:
            file.write(json.dumps(line, sort_keys=True) + "\n")
        if not self.quiet:
            self._say(human(line))

    def _say(self, text: str) -> None:
        """A closed terminal or a killed `tee` is no reason to stop training."""
        try:
            print(text, file=sys.stderr, flush=True)
        except OSError:
            self.quiet = True

    @staticmethod
    def _process() -> dict[str, str | int]:
        """Where the job runs, and the most memory that it has held, in MB."""
        # Kilobytes on Linux.
        used = {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}
        if torch.cuda.is_initialized():
            used["gpu_mb"] = torch.cuda.max_memory_allocated() // 2**20
        return {"host": socket.gethostname(), "pid": os.getpid(), **used}


def human(line: Mapping) -> str:
    """One progress line for people."""
    losses = "  ".join(f"{name} {value:.4g}" for name, value in line["losses"].items())
    left = (line["total"] - line["step"]) * line["seconds_per_step"]
    return f"{line['title']} {line['phase']} {line['step']}/{line['total']}  {losses}  {left:.0f} s left"


def read(path: Path) -> list[dict]:
    """All complete lines of a progress file (one that is being written, or was when the power went, is left out)."""
    lines = path.read_text(errors="replace").split("\n")[:-1] if path.is_file() else []
    return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
