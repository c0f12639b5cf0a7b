"""What an avatar takes, as metric rows: times from the workflow's benchmarks, sizes from the avatar, speed as measured."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from emotag.errors import ArtifactMismatch
from emotag.io.artifact import read_json
from emotag.report.summary import last_record

# What stage speed writes.
SPEED = ("audio_ms", "motion_ms", "render_ms", "fps", "peak_vram_mb")


def of_benchmarks(train: Path, preprocess: Sequence[Path]) -> dict[str, float]:
    """Minutes and peak memory; NaN where a benchmark is not there (results that came from elsewhere)."""
    records = [last_record(path) for path in preprocess if path.is_file()]
    own = last_record(train) if train.is_file() else None
    peaks = [float(r["max_rss"]) for r in [*records, own or {}] if isinstance(r.get("max_rss"), int | float)]
    complete = bool(preprocess) and len(records) == len(preprocess)
    return {
        "train_min": own["s"] / 60 if own else math.nan,
        "preprocess_min": sum(record["s"] for record in records) / 60 if complete else math.nan,
        "peak_rss_mb": max(peaks) if peaks else math.nan,
    }


def of_avatar(path: Path, gaussians: int) -> dict[str, float]:
    """Size of the avatar."""
    return {"gaussians": float(gaussians), "avatar_mb": path.stat().st_size / 1e6}


def of_speed(path: Path) -> Mapping[str, float]:
    """What stage speed measured; memory of the GPU is NaN where there was none.

    Raises:
        ArtifactMismatch: a number is missing.
    """
    content = read_json(path, *SPEED)
    try:
        absent = {"peak_vram_mb": math.nan} if content["peak_vram_mb"] is None else {}
        return {name: absent[name] if name in absent else float(content[name]) for name in SPEED}
    except (TypeError, ValueError) as error:
        raise ArtifactMismatch(f"{path}: found {content}, expected numbers; delete it, then run again") from error
