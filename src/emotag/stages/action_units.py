"""Action units of a clip, under OpenFace's column names (Baltrusaitis et al. 2018).

Provider `expression`: from the tracked expression, relative to the person's neutral. Provider `openface`: the CSV that
FeatureExtraction wrote of the clip's crop. Reads the head model, `Subject`, `Tracks` and the CSV where there is one; writes
`ActionUnits`.
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import ActionUnits, Subject, Tracks
from emotag.config import ActionUnitsConfig
from emotag.head import models
from emotag.io.stamps import stamp
from emotag.tracking import openface
from emotag.tracking.action_units import action_units


def run(*, head: Path, subject: Path, tracks: Path, table: list[Path], out: Path, config: ActionUnitsConfig) -> None:
    """Take the intensities of the provider; `table` is the CSV of provider openface, and empty otherwise."""
    tracked = Tracks.load(tracks)
    names, intensity = (
        given(table[0], len(tracked.expression), config) if table else built_in(head, Subject.load(subject), tracked)
    )
    ActionUnits(names, intensity, config.provider).save(out, stage.provenance() | stamp(*table))


def built_in(head: Path, subject: Subject, tracks: Tracks) -> tuple[list[str], np.ndarray]:
    """Names and intensities from the tracked expression units."""
    model = models.load(head)
    return list(model.action_unit_names), action_units(model, subject, tracks)


def given(table: Path, frames: int, config: ActionUnitsConfig) -> tuple[list[str], np.ndarray]:
    """Names and intensities from OpenFace's CSV."""
    rows = openface.read(table, config.min_confidence)
    return list(openface.NAMES), openface.intensities(rows, frames, config.blink_limit, table)


if __name__ == "__main__":
    stage.main(run)
