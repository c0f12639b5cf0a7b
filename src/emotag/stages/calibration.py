"""How the action units of an outside provider relate to those of the tracked expression.

Reads the head model, `Subject`, `Tracks` and the `ActionUnits` given; writes JSON, for each unit that both have:
correlation, least-squares line, means and mean absolute difference over the clip.
"""

import json
import logging
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import ActionUnits, Subject, Tracks
from emotag.head import models
from emotag.io.artifact import write_atomic
from emotag.tracking.action_units import action_units
from emotag.tracking.openface import calibration

log = logging.getLogger(__name__)


def run(*, head: Path, subject: Path, tracks: Path, given: Path, out: Path) -> None:
    """Compare unit by unit."""
    model, outside = models.load(head), ActionUnits.load(given)
    inside = action_units(model, Subject.load(subject), Tracks.load(tracks))
    names = [name for name in outside.names if name in model.action_unit_names]
    units = calibration(
        names,
        outside.intensity[:, [outside.names.index(name) for name in names]],
        inside[:, [model.action_unit_names.index(name) for name in names]],
    )
    correlations = [row["correlation"] for row in units.values() if row["correlation"] is not None]
    if correlations:
        log.info("median correlation with the built-in units %.2f over %d", np.median(correlations), len(correlations))
    report = {"provider": outside.provider, "frames": len(inside), "units": units}
    write_atomic(out, (json.dumps(report, indent=2) + "\n").encode())


if __name__ == "__main__":
    stage.main(run)
