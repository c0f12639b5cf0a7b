"""The tracker against the truth of synthetic clips, one row a person.

Reads: the head, and clip by clip the tracks found through the ordinary stages (crop, landmarks, matte, shape, track) and
the true ones. Writes: CSV (identity, lip_vertex_mm_median, jaw_corr, blink_f1, head_deg, and what else helps to judge).
Lips are compared after one rigid and scale alignment a person on skull vertices (`emotag.tracking.recovery`); their error
is given in space, across the line of sight of a head that faces the camera, and along it (depth).
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from emotag import stage
from emotag.artifacts import Tracks
from emotag.errors import ConfigError
from emotag.head import models
from emotag.head.base import HeadModel
from emotag.io.artifact import write_atomic
from emotag.tracking import recovery

log = logging.getLogger(__name__)


def run(*, head: Path, people: list[str], tracks: list[Path], truth: list[Path], out: Path) -> None:
    """Compare clip by clip; `people` [one a clip] says whose it is."""
    if not len(people) == len(tracks) == len(truth):
        raise ConfigError(
            f"found {len(people)} people, {len(tracks)} tracks, {len(truth)} truths; expected one each a clip"
        )
    model = models.load(head)
    rows = []
    for person in dict.fromkeys(people):
        mine = [index for index, name in enumerate(people) if name == person]
        pairs = [_same_length(Tracks.load(tracks[index]), Tracks.load(truth[index])) for index in mine]
        found, true = (list(side) for side in zip(*pairs, strict=True))
        rows.append({"identity": person} | scores(model, found, true))
        log.info("%s", rows[-1])
    table = pd.DataFrame(rows)
    write_atomic(out, table.round(4).to_csv(index=False).encode())


def scores(model: HeadModel, found: list[Tracks], true: list[Tracks]) -> dict[str, float]:
    """One person's row."""
    errors = recovery.lip_errors_mm(model, found, true)
    lips = np.linalg.norm(errors, axis=1)
    jaw = recovery.jaw_correlations(model, found, true)
    turned = recovery.head_degrees(found, true)
    units = [
        np.concatenate(
            [model.action_units(torch.from_numpy(t.expression), torch.from_numpy(t.jaw)).numpy() for t in side]
        )
        for side in (found, true)
    ]
    correlations = recovery.unit_correlations(*units, list(model.action_unit_names))
    upper = [value for name, value in correlations.items() if name in ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07")]
    return {
        "lip_vertex_mm_median": float(np.median(lips)),
        "jaw_corr": jaw["clips"],
        "blink_f1": recovery.blink_f1(model, found, true),
        "head_deg": float(np.median(turned)),
        "lip_vertex_mm_p95": float(np.percentile(lips, 95)),
        "lip_across_mm_median": float(np.median(np.linalg.norm(errors[:, :2], axis=1))),
        "lip_depth_mm_median": float(np.median(np.abs(errors[:, 2]))),
        "au_corr_upper": float(np.mean(upper)) if upper else float("nan"),
        "au_corr_lower": float(
            np.mean(
                [
                    v
                    for n, v in correlations.items()
                    if n not in ("AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU45")
                ]
            )
        ),
        "jaw_corr_pooled": jaw["pooled"],
        "jaw_angle_corr": jaw["angle"],
        "frames": sum(len(t.expression) for t in true),
    }


def _same_length(found: Tracks, true: Tracks) -> tuple[Tracks, Tracks]:
    """Both on the frames that both have (the crop's clock may lack the last frame)."""
    frames = min(len(found.expression), len(true.expression))
    return recovery.cut(found, frames), recovery.cut(true, frames)


if __name__ == "__main__":
    stage.main(run)
