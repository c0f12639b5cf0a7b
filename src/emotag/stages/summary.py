"""Everything about one adaptation in one place: pictures to look at, a table, and a JSON for scripts.

Reads: the avatar's video and sidecar of a drive and, where there is a ground truth, truth.mp4, the other variants' videos
and metrics.parquet; quality.json; sync.json; labels.mkv. Writes: summary.json, sheet.png, side_by_side.mp4, metrics.csv
and metrics.md (the last three only with a ground truth). Times stand in the summary alone.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from emotag import stage
from emotag.artifacts import Subject
from emotag.io.artifact import read_json, write_atomic, write_json
from emotag.io.audio import read_audio
from emotag.io.sheets import contact_sheet, write_png
from emotag.io.video import probe, read_frames, read_gray, write_video
from emotag.parts import spread
from emotag.provenance import commit
from emotag.report import summary, tables
from emotag.tracking.regions import head_mask
from emotag.types import FPS

SHEET_FRAMES = 6
SHEET_SIZE = 256


def run(
    *,
    identity: str,
    drive: str,
    video: Path,
    sidecar: Path,
    quality: Path,
    sync: Path,
    subject: Path,
    labels: Path,
    benchmarks: Path,
    own_names: list[str],
    shared_jobs: list[str],
    preset: str,
    out: Path,
    out_sheet: Path,
    truth: Path | None = None,
    others: list[Path] | None = None,
    metrics: Path | None = None,
    out_side_by_side: Path | None = None,
    out_csv: Path | None = None,
    out_markdown: Path | None = None,
) -> None:
    """Gather `identity` driven by `drive`. `others` are videos of baselines, each in a folder named as its variant."""
    facts, report = read_json(sidecar), read_json(quality)
    part = Subject.load(subject).part
    content = {
        "identity": identity,
        "drive": drive,
        "commit": commit(),
        "preset": preset,
        "video": str(video),
        "sidecar": facts,
        "sheet": str(out_sheet),
        "adaptation_part": part,
        "offset": read_json(sync),
        "quality": {name: report.get(name) for name in ("verdict", "reasons")},
        "tracking": report["tracking_unseen"],
    }
    content |= summary.benchmark_costs(benchmarks, own_names, shared_jobs)
    shown = [video]
    if truth is not None:
        content |= against_truth(truth, metrics, labels, facts, out_csv, out_markdown)
        content["side_by_side"] = str(out_side_by_side)
        write_side_by_side(truth, video, out_side_by_side)
        shown = [truth, video, *(others or [])]
    write_png(out_sheet, sheet(shown))
    write_json(out, content)


def against_truth(
    truth: Path, metrics: Path, labels: Path, facts: dict, out_csv: Path, out_markdown: Path
) -> dict[str, object]:
    """Table files, and the summary's entries that need a ground truth."""
    rows = pd.read_parquet(metrics)
    table = tables.wide(rows)
    write_atomic(out_csv, rows.to_csv(index=False).encode())
    caption = f"{rows['identity'].iloc[0]}: {rows['split'].iloc[0]}, scope {facts['adapt_scope']}"
    write_atomic(out_markdown, tables.markdown(table, caption).encode())
    start, stop = (int(number) for number in rows["split"].iloc[0].split("[")[1].rstrip("]").split(":"))
    shares = [float(head_mask(label).mean()) for label in read_gray(labels, start, stop)]
    return {
        "ground_truth": str(truth),
        "test_start_s": start / FPS,
        "test_seconds": (stop - start) / FPS,
        "head_area_share": round(float(np.mean(shares)), 4),
        "metrics": summary.nested_metrics(rows),
        "metrics_table": str(out_csv),
        "providers": rows["providers"].iloc[0],
        "variants": list(table.index),
    }


def write_side_by_side(truth: Path, video: Path, out: Path) -> None:
    """Ground truth left, avatar right, with the avatar's sound."""
    pairs = zip(read_frames(truth), read_frames(video), strict=True)
    write_video(out, (np.concatenate(pair, 1) for pair in pairs), fps=FPS, crf=18, audio=read_audio(video))


def sheet(videos: list[Path]) -> np.ndarray:
    """One row a video, the same moments in each."""
    count = probe(videos[0]).frames
    moments = spread(count, SHEET_FRAMES)
    frames, labels = [], []
    for path in videos:
        frames += read_frames(path, size=SHEET_SIZE, only=moments)
        name = "ground truth" if path.name == "truth.mp4" else path.parent.name
        labels += [f"{name} {moment / FPS:.1f} s" for moment in moments]
    return contact_sheet(frames, len(moments), labels)


if __name__ == "__main__":
    stage.main(run)
