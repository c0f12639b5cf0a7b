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
from emotag.io.audio import read_audio
from emotag.io.stamps import stamp
from emotag.io.video import probe, read_frames
from emotag.metrics.base import REFERENCE_PX
from emotag.metrics.detected import Detected, detect
from emotag.metrics.lips import best_lag, correlation
from emotag.metrics.syncnet import NAMES as SYNC_NAMES
from emotag.metrics.syncnet import load as load_syncnet
from emotag.metrics.syncnet import sync_scores
from emotag.metrics.temporal import jitter
from emotag.report.tables import metric_rows, save_rows
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
    rows = []
    labels = {
        "identity": identity, "clip": clip, "split": f"{out.parent.name}[0:{count}]", "crop": crop,
        "providers": providers, "seed": seed,
    }  # fmt: skip
    if speaker:
        seen = detect(read_frames(speaker[0], 0, count))
        lips = heard_lips(lip_measures(seen.points), read_json(sync[0], "offset_frames")["offset_frames"], count)
        scores = speaker_scores(lips, lips) | plain_scores(seen) | synced(speaker[0], seen, syncnet, config)
        rows += metric_rows(scores, variant="ground_truth", **labels)
    for path in videos:
        face = detect(read_frames(path))
        measured = lip_measures(face.points)
        scores = speaker_scores(lips, measured) | plain_scores(face) | synced(path, face, syncnet, config)
        rows += metric_rows(scores, variant=path.parent.name, **labels)
        logger.info("%s: %s", path.parent.name, ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    save_rows(out, rows, stamp(*syncnet))


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


def synced(path: Path, face: Detected, files: list[Path], config: MeasureConfig) -> dict[str, float]:
    """SyncNet's scores, NaN without its file, nothing where they are not asked for."""
    if not config.syncnet:
        return {}
    if not files:
        return dict.fromkeys(SYNC_NAMES, math.nan)
    return sync_scores(load_syncnet(files[0]), read_frames(path), face.points, read_audio(path))


if __name__ == "__main__":
    stage.main(run)
