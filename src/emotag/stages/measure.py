"""Every metric of every variant against the ground truth, on decoded videos.

Reads: truth.mp4, one video a variant, labels.mkv of the clip (head mask), head, Subject, one Motion (which frames), and the
files of LPIPS, SyncNet and the emotion scorer where they are asked for. Writes: metrics.parquet, rows in long form
(`emotag.report.tables.COLUMNS`); the ground truth has rows against itself.
"""

import logging
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from emotag import stage
from emotag.artifacts import Motion, Subject
from emotag.config import MeasureConfig
from emotag.emotion import face_api
from emotag.head import models
from emotag.io.audio import read_audio
from emotag.io.stamps import stamp
from emotag.io.video import read_frames, read_gray, resize
from emotag.metrics.artefacts import floaters, seam_share
from emotag.metrics.detected import Detected, detect
from emotag.metrics.emotion import agreement
from emotag.metrics.face import face_scores
from emotag.metrics.image import image_scores
from emotag.metrics.lpips import load as load_lpips
from emotag.metrics.syncnet import NAMES as SYNC_NAMES
from emotag.metrics.syncnet import load as load_syncnet
from emotag.metrics.syncnet import sync_scores
from emotag.report.tables import metric_rows, save_rows
from emotag.tracking.action_units import fitted_action_units
from emotag.tracking.regions import head_mask
from emotag.types import EMOTIONS

logger = logging.getLogger(__name__)


def run(
    *,
    truth: Path,
    videos: list[Path],
    labels: Path,
    head: Path,
    subject: Path,
    motion: Path,
    lpips: list[Path],
    syncnet: list[Path],
    emotion: list[Path],
    identity: str,
    clip: str,
    crop: str,
    providers: str,
    seed: int,
    out: Path,
    config: MeasureConfig,
) -> None:
    """Measure `videos` (each in a folder named as its variant) and the truth against the truth.

    Args: `lpips`: trunk and heads; `syncnet`: its network; `emotion`: weights and manifest; `crop`: what the pictures are, in
    words. Without the files a value that `config` asks for is missing.
    """
    person = Subject.load(subject)
    model = models.load(head)
    frames = Motion.load(motion).frames
    masks = map(head_mask, read_gray(labels, frames[0], frames[-1] + 1))
    shown = [*videos, truth]
    pictures = _image_means(truth, shown, masks)
    if config.lpips:
        for of_pictures, distance in zip(pictures, _lpips_means(truth, shown, lpips), strict=True):
            of_pictures["lpips_full"] = distance
    split = f"{clip}[{frames[0]}:{frames[-1] + 1}]"
    labels_of_rows = {
        "identity": identity, "clip": clip, "split": split, "crop": crop, "providers": providers, "seed": seed,
    }  # fmt: skip

    def face(path: Path) -> tuple[Detected, np.ndarray]:
        detected = detect(read_frames(path))
        # The subject's camera is that of the crop, which need not have the rendered size.
        points = detected.at_width(person.camera["width"])
        return detected, fitted_action_units(model, person, points, config.fit_iterations)

    real = face(truth)
    shown_emotion = _emotion(truth, real[0], emotion) if config.emotion_agreement else None
    rows = []
    for path, of_pictures in zip(shown, pictures, strict=True):
        variant = "ground_truth" if path == truth else path.parent.name
        measured = real if path == truth else face(path)
        scores = of_pictures | face_scores(model.action_unit_names, real, measured)
        if shown_emotion is not None:
            scores["emotion_agreement"] = agreement(shown_emotion, _emotion(path, measured[0], emotion))
        if config.syncnet:
            scores |= _sync(path, measured[0], syncnet)
        rows += metric_rows(scores, variant=variant, **labels_of_rows)
        logger.info("%s: %s", variant, ", ".join(f"{name} {value:.3f}" for name, value in scores.items()))
    save_rows(out, rows, stamp(*lpips, *syncnet, *emotion))


def _image_means(truth: Path, videos: list[Path], masks: Iterable[np.ndarray]) -> list[dict[str, float]]:
    """Image metrics of each video averaged over frames; `masks` [H, W] are of the crop's size.

    All videos are read side by side, so that nothing is decoded twice and nothing is held. A frame without head counts
    where it can.
    """
    scores: list[list[dict[str, float]]] = [[] for _ in videos]
    for real, mask, *pictures in zip(read_frames(truth), masks, *map(read_frames, videos), strict=True):
        head = _sized(mask, real)
        for found, picture in zip(scores, pictures, strict=True):
            border = {"floaters": floaters(real, picture, head), "seam_share": seam_share(real, picture, head)}
            found.append(image_scores(real, picture, head) | border)
    return [pd.DataFrame(found).mean().to_dict() for found in scores]


def _lpips_means(truth: Path, videos: list[Path], files: list[Path]) -> list[float]:
    """LPIPS of each video averaged over frames; NaN without its `files`."""
    if not files:
        logger.warning("LPIPS is missing: its files are not in data/assets; snakemake fetch_assets gets them")
        return [math.nan] * len(videos)
    network = load_lpips(*files)
    rows = [
        network.distances(real, pictures)
        for real, *pictures in zip(read_frames(truth), *map(read_frames, videos), strict=True)
    ]
    return np.mean(rows, axis=0).tolist()


def _emotion(path: Path, detected: Detected, files: list[Path]) -> np.ndarray:
    """Probabilities [T, 7] of the emotion scorer; NaN without its files."""
    if not files:
        logger.warning(
            "emotion agreement is missing: its files are not in data/assets; snakemake fetch_assets gets them"
        )
        return np.full((len(detected.points), len(EMOTIONS)), np.nan)
    return face_api.probabilities(face_api.load(*files), read_frames(path), detected.points)


def _sync(path: Path, detected: Detected, files: list[Path]) -> dict[str, float]:
    """SyncNet's scores of a video and its own sound; NaN without its file."""
    if not files:
        logger.warning("SyncNet is missing: its file is not in data/by_hand; snakemake assets says where to get it")
        return dict.fromkeys(SYNC_NAMES, math.nan)
    return sync_scores(load_syncnet(files[0]), read_frames(path), detected.points, read_audio(path))


def _sized(mask: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """A mask [H, W] bool on the pixel grid of `frame`."""
    height, width = frame.shape[:2]
    return resize(mask.astype(np.uint8) * 255, width, height) > 127


if __name__ == "__main__":
    stage.main(run)
