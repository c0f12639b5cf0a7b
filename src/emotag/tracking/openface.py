"""Action units from the CSV that OpenFace's FeatureExtraction writes, and how they relate to the built-in ones.

Baltrusaitis, Zadeh, Lim and Morency 2018, "OpenFace 2.0: Facial Behavior Analysis Toolkit"; columns after the "Output
Format" page of its wiki. 2.0 and 2.1 write a blank after every comma, 2.2 does not; 2.1 added `face_id`. A row a frame,
`frame` from 1, `timestamp` in seconds from 0, `success` 1 where the face was tracked, `confidence` 0 to 1. `AUxx_r` is an
intensity of 0 to 5 (17 units), `AUxx_c` the presence (18, with AU28), which is not used. Where tracking failed the row
holds zeros, which are no measurement.

EmoTaG reads the raw intensities of AU01, 04, 05, 06, 07 and 45; InsTaG the same six, with AU45 clipped to 0..2 because
a shut eye rarely goes beyond.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotag.errors import ArtifactMismatch, FootageError
from emotag.io.csv_files import read_csv
from emotag.types import FPS

NAMES = (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23",
    "AU25", "AU26", "AU45",
)  # fmt: skip
BLINK = "AU45"
LARGEST = 5.0
QUALITY = ("frame", "timestamp", "confidence", "success")
# OpenFace may leave out the last frames of a video.
MISSING_AT_END = 2
LEAST_SHARE = 0.5


@dataclass(frozen=True)
class Table:
    """Rows of one face: `frames` [R] from 0, `intensity` [R, 17] 0 to 5 in the order of `NAMES`, `tracked` [R] bool."""

    frames: np.ndarray
    intensity: np.ndarray
    tracked: np.ndarray


def read(path: Path, min_confidence: float) -> Table:
    """The rows of a FeatureExtraction CSV of a 25 fps video.

    Raises:
        ArtifactMismatch: columns are missing, a value is no number, there are several faces, or another frame rate.
    """
    columns = _columns(path)
    frames = columns["frame"].astype(int) - 1
    if len(np.unique(frames)) != len(frames) or frames.min(initial=0) < 0:
        raise ArtifactMismatch(
            f"{path}: frames are not numbered from 1, each once (several faces?); write it with FeatureExtraction, which "
            "follows one face, not with FaceLandmarkVidMulti"
        )
    drift = np.abs(columns["timestamp"] - frames / FPS).max(initial=0)
    if drift > 0.5 / FPS:
        raise ArtifactMismatch(
            f"{path}: timestamps are up to {drift:.2f} s away from {FPS} frames a second; run FeatureExtraction on the "
            "clip's crop.mp4, not on the original video"
        )
    tracked = (columns["success"] == 1) & (columns["confidence"] >= min_confidence)
    intensity = np.stack([columns[f"{name}_r"] for name in NAMES], -1)
    return Table(frames, intensity, tracked)


def _columns(path: Path) -> dict[str, np.ndarray]:
    """The columns used, by name without blanks."""
    wanted = [*QUALITY, *(f"{name}_r" for name in NAMES)]
    rows = read_csv(path)
    header = rows[0] if rows else []
    if missing := [name for name in wanted if name not in header]:
        raise ArtifactMismatch(
            f"{path}: columns {', '.join(missing)} are missing; write it with FeatureExtraction of OpenFace 2 and -aus"
        )
    if len(rows) < 2:
        raise ArtifactMismatch(f"{path}: has a header but no frame; run FeatureExtraction again")
    try:
        values = np.array([[float(row[header.index(name)]) for name in wanted] for row in rows[1:]])
    except (ValueError, IndexError) as error:
        raise ArtifactMismatch(f"{path}: a row is cut off or holds no number ({error}); write it again") from error
    if not np.isfinite(values).all():
        raise ArtifactMismatch(f"{path}: holds values that are not finite; write it again")
    return dict(zip(wanted, values.T, strict=True))


def intensities(table: Table, frames: int, blink_limit: float, path: Path) -> np.ndarray:
    """[T, 17] 0 to 5 for the `frames` of a clip, linearly interpolated where tracking failed.

    AU45 is clipped at `blink_limit` and stretched so that the limit becomes 5 (a limit of 5 leaves it as it is).

    Raises:
        ArtifactMismatch: the table is of a video of another length.
        FootageError: fewer than half of the frames were tracked.
    """
    last = int(table.frames.max()) + 1
    if not frames - MISSING_AT_END <= last <= frames:
        raise ArtifactMismatch(
            f"{path}: goes up to frame {last}, but the clip has {frames}; run OpenFace on its crop.mp4"
        )
    order = np.argsort(table.frames)
    good = order[table.tracked[order]]
    if len(good) < LEAST_SHARE * frames:
        raise FootageError(
            f"{path}: the face was tracked in {len(good)} of {frames} frames, expected at least {LEAST_SHARE:.0%}; "
            "choose another clip or another action_units.provider"
        )
    times = np.arange(frames)
    values = np.stack([np.interp(times, table.frames[good], column[good]) for column in table.intensity.T], -1)
    values = values.clip(0, LARGEST)
    blink = NAMES.index(BLINK)
    values[:, blink] = values[:, blink].clip(max=blink_limit) * (LARGEST / blink_limit)
    return values.astype(np.float32)


def calibration(names: list[str], given: np.ndarray, built_in: np.ndarray) -> dict[str, dict[str, float | None]]:
    """How intensities [T, A] `given` from outside relate to the `built_in` ones, for each of `names`.

    `correlation` (Pearson; None where one does not move), `slope` and `intercept` of the least-squares line from built-in
    to given (None where the built-in one does not move), `mean_given`, `mean_built_in`, `mean_absolute_difference`.
    """
    rows = {}
    for column, name in enumerate(names):
        y, x = np.float64(given[:, column]), np.float64(built_in[:, column])
        covariance = ((x - x.mean()) * (y - y.mean())).mean()
        moves = x.std() > 1e-6
        slope = float(covariance / x.var()) if moves else None
        rows[name] = {
            "correlation": float(covariance / (x.std() * y.std())) if moves and y.std() > 1e-6 else None,
            "slope": slope,
            "intercept": float(y.mean() - slope * x.mean()) if slope is not None else None,
            "mean_given": float(y.mean()),
            "mean_built_in": float(x.mean()),
            "mean_absolute_difference": float(np.abs(x - y).mean()),
        }
    return rows
