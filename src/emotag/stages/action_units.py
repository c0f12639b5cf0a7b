"""Action units from the tracked expression, relative to the person's neutral.

Reads the head model, `Subject` and `Tracks`; writes `ActionUnits` under OpenFace's column names (Baltrusaitis et al. 2018).
"""

from pathlib import Path

from emotag import stage
from emotag.artifacts import ActionUnits, Subject, Tracks
from emotag.config import ActionUnitsConfig
from emotag.head import makehuman
from emotag.tracking.action_units import action_units


def run(*, head: Path, subject: Path, tracks: Path, out: Path, config: ActionUnitsConfig) -> None:
    """Map expression units to action units."""
    model = makehuman.load(head)
    intensity = action_units(model, Subject.load(subject), Tracks.load(tracks))
    ActionUnits(list(model.action_unit_names), intensity, config.provider).save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
