"""Learning curves of one training.

Reads: the newest progress.jsonl below a folder of training state (one folder a fingerprint). Writes: the figure.
`made` is what the training made, so that its curves are drawn after it.
"""

import json
from pathlib import Path

from emotag import stage
from emotag.errors import ArtifactMismatch
from emotag.report import plots


def run(*, made: Path, state: Path, out: list[Path]) -> None:
    """Draw the curves of the training that wrote below `state` last."""
    plots.save(plots.curves(read(newest(state))), *out)


def newest(state: Path) -> Path:
    """The progress file that was written last.

    Raises:
        ArtifactMismatch: there is none, as after somebody removed the state.
    """
    files = sorted(state.glob("*/progress.jsonl"), key=lambda path: path.stat().st_mtime)
    if not files:
        raise ArtifactMismatch(f"{state}: holds no progress.jsonl; train again, since the state was removed")
    return files[-1]


def read(path: Path) -> dict[str, list[dict]]:
    """Records by phase in order; of a step that was trained twice after an interruption, the later counts."""
    phases: dict[str, dict[int, dict]] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
            phases.setdefault(record["phase"], {})[record["step"]] = {
                "step": record["step"],
                "losses": record["losses"],
            }
        except (ValueError, KeyError) as error:
            raise ArtifactMismatch(f"{path}, line {number}: is no record of a step ({error!r}); train again") from error
    return {name: [steps[step] for step in sorted(steps)] for name, steps in phases.items()}


if __name__ == "__main__":
    stage.main(run)
