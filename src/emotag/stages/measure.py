"""Every metric of every variant against the ground truth, on decoded videos.

Reads: truth.mp4, one video a variant, labels.mkv of the clip (head mask), head, Subject, one Motion (which frames).
Writes: metrics.parquet, rows in long form (`emotag.report.tables.COLUMNS`); the ground truth has rows against itself.
"""

import io
import logging
from pathlib import Path

import numpy as np
import pandas as pd

from emotag import stage
from emotag.artifacts import Motion, Subject
from emotag.config import MeasureConfig
from emotag.head import makehuman
from emotag.head.landmark_sets import IBUG_68, IBUG_INNER_51
from emotag.io.artifact import write_atomic
from emotag.io.video import read_frames, read_gray
from emotag.metrics.action_units import LOWER, UPPER, action_unit_error
from emotag.metrics.detected import Detected, detect, eye_opening
from emotag.metrics.events import blinks, f1
from emotag.metrics.image import image_scores
from emotag.metrics.lips import lip_distance, lip_scores
from emotag.metrics.temporal import jitter
from emotag.report.tables import metric_rows
from emotag.tracking.action_units import fitted_action_units
from emotag.tracking.lip_measures import lip_measures
from emotag.tracking.regions import head_mask

BLINK_TOLERANCE = 3
logger = logging.getLogger(__name__)


def run(
    *,
    truth: Path,
    videos: list[Path],
    labels: Path,
    head: Path,
    subject: Path,
    motion: Path,
    identity: str,
    clip: str,
    providers: str,
    seed: int,
    out: Path,
    config: MeasureConfig,
) -> None:
    """Measure `videos` (each in a folder named as its variant) and the truth against the truth."""
    person = Subject.load(subject)
    model = makehuman.load(head)
    frames = Motion.load(motion).frames
    masks = [head_mask(label) for label in read_gray(labels, frames[0], frames[-1] + 1)]
    split = f"{clip}[{frames[0]}:{frames[-1] + 1}]"

    def face(path: Path) -> tuple[Detected, np.ndarray]:
        detected = detect(read_frames(path))
        return detected, fitted_action_units(model, person, detected.points, config.fit_iterations)

    real = face(truth)
    rows = []
    for path in [*videos, truth]:
        variant = "ground_truth" if path == truth else path.parent.name
        measured = real if path == truth else face(path)
        scores = _image_means(truth, path, masks) | _face_scores(model.action_unit_names, real, measured)
        rows += metric_rows(
            scores, variant=variant, identity=identity, clip=clip, split=split, providers=providers, seed=seed
        )
        logger.info("%s: %s", variant, ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer, index=False)
    write_atomic(out, buffer.getvalue())


def _image_means(truth: Path, video: Path, masks: list[np.ndarray]) -> dict[str, float]:
    """Image metrics averaged over frames; a frame without head counts only where it can."""
    pairs = zip(read_frames(truth), read_frames(video), masks, strict=True)
    scores = pd.DataFrame([image_scores(real, image, mask) for real, image, mask in pairs])
    return {name: float(values.mean()) for name, values in scores.items()}


def _face_scores(
    names: tuple[str, ...], truth: tuple[Detected, np.ndarray], measured: tuple[Detected, np.ndarray]
) -> dict[str, float]:
    """Metrics that come from landmarks and the action units fitted to them."""
    (real, real_units), (face, units) = truth, measured
    lips, inner = list(IBUG_68[48:]), list(IBUG_INNER_51)
    opened, real_opened = eye_opening(face.points), eye_opening(real.points)
    return {
        "lmd_px512": lip_distance(real.points[:, lips, :2], face.points[:, lips, :2]),
        "aue_l": action_unit_error(list(names), real_units, units, LOWER),
        "aue_u": action_unit_error(list(names), real_units, units, UPPER),
        **lip_scores(lip_measures(real.points), lip_measures(face.points)),
        "blink_f1": f1(blinks(real_opened), blinks(opened), BLINK_TOLERANCE),
        "jitter_px512": jitter(face.points[:, inner, :2]),
        "undetected": float((~face.found).sum()),
    }


if __name__ == "__main__":
    stage.main(run)
