"""Metrics of avatars that speak another person's speech: no true pictures of it exist, the speaker's own lips may.

Reads: one video a variant, driven by the speech from its start; where that is the sound of a clip, its crop.mp4 and sync.json;
SyncNet's file where it is asked for. Writes: metrics.parquet as stage measure does. The row of the ground truth is the
speaker's clip against itself; without a clip there is none, and what needs it is missing.
"""

import logging
import math
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.config import MeasureConfig
from emotag.head.landmark_sets import IBUG_INNER_51
from emotag.io.artifact import read_json
from emotag.io.stamps import stamp
from emotag.io.video import probe, read_frames
from emotag.metrics.base import REFERENCE_PX
from emotag.metrics.detected import Detected, detect
from emotag.metrics.lips import best_lag, correlation
from emotag.metrics.syncnet import video_sync
from emotag.metrics.temporal import jitter
from emotag.report.tables import write_rows
from emotag.tracking.lip_measures import lip_measures

logger = logging.getLogger(__name__)
SPEAKER = ("speaker_aperture_corr", "speaker_width_corr", "speaker_lag")


def run(
    *,
    videos: list[Path],
    speaker: list[Path],
    sync: list[Path],
    syncnet: list[Path],
    identity: str,
    clip: str,
    crop: str,
    providers: str,
    seed: int,
    out: Path,
    config: MeasureConfig,
) -> None:
    """Measure `videos` (each in a folder named as its variant). `speaker` and `sync`: crop and offset of the clip that is
    heard, or nothing; `clip`: whose poses and cues the avatars have."""
    count = probe(videos[0]).frames
    lips = None
    scores = {}

    def scored(path: Path, face: Detected, measured: np.ndarray) -> dict[str, float]:
        found = speaker_scores(lips, measured) | plain_scores(face)
        return found | video_sync(path, face.points, syncnet) if config.syncnet else found

    if speaker:
        seen = detect(read_frames(speaker[0], 0, count))
        lips = heard_lips(lip_measures(seen.points), read_json(sync[0], "offset_frames")["offset_frames"], count)
        scores["ground_truth"] = scored(speaker[0], seen, lips)
    for path in videos:
        face, variant = detect(read_frames(path)), path.parent.name
        scores[variant] = scored(path, face, lip_measures(face.points))
        logger.info("%s: %s", variant, ", ".join(f"{name} {value:.3f}" for name, value in scores[variant].items()))
    split = f"{out.parent.name}[0:{count}]"
    labels = {"identity": identity, "clip": clip, "split": split, "crop": crop, "providers": providers, "seed": seed}
    write_rows(out, scores, stamp(*syncnet), **labels)


def heard_lips(measures: np.ndarray, offset_frames: float, count: int) -> np.ndarray:
    """Lip measures [N, 4] of the speaker's clip at the moments of the sound: [count, 4], NaN beyond the clip.

    `offset_frames` + = the clip's video is late, so that what is heard at frame k is seen at k + offset.
    """
    moments, frames = np.arange(count) + offset_frames, np.arange(len(measures))
    inside = (moments >= 0) & (moments <= len(measures) - 1)
    columns = [np.where(inside, np.interp(moments, frames, column), np.nan) for column in measures.T]
    return np.stack(columns, 1)


def speaker_scores(speaker: np.ndarray | None, measured: np.ndarray) -> dict[str, float]:
    """Correlation and lag of lip measures [T, 4] with the speaker's, over the frames that both have."""
    if speaker is None:
        return dict.fromkeys(SPEAKER, math.nan)
    both = np.isfinite(speaker).all(1) & np.isfinite(measured).all(1)
    real, found = speaker[both], measured[both]
    return {
        "speaker_aperture_corr": correlation(real[:, 0], found[:, 0]),
        "speaker_width_corr": correlation(real[:, 1], found[:, 1]),
        "speaker_lag": best_lag(real[:, 0], found[:, 0]),
    }


def plain_scores(face: Detected) -> dict[str, float]:
    """What needs no truth."""
    points = face.at_width(REFERENCE_PX)[:, list(IBUG_INNER_51), :2]
    return {"jitter_px512": jitter(points), "undetected": float((~face.found).sum())}


if __name__ == "__main__":
    stage.main(run)
