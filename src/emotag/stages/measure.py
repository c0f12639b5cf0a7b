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
from emotag.io.stamps import stamp
from emotag.io.video import read_frames, read_gray, resize
from emotag.metrics.artefacts import Border
from emotag.metrics.detected import Detected, detect
from emotag.metrics.emotion import agreement
from emotag.metrics.face import face_scores
from emotag.metrics.image import image_scores
from emotag.metrics.lpips import load as load_lpips
from emotag.metrics.syncnet import video_sync
from emotag.report.tables import write_rows
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

    def face(path: Path) -> tuple[Detected, np.ndarray]:
        detected = detect(read_frames(path))
        # The subject's camera is that of the crop, which need not have the rendered size.
        points = detected.at_width(person.camera["width"])
        return detected, fitted_action_units(model, person, points, config.fit_iterations)

    real = face(truth)
    shown_emotion = _emotion(truth, real[0], emotion) if config.emotion_agreement else None
    scores = {}
    for path, of_pictures in zip(shown, pictures, strict=True):
        variant = "ground_truth" if path == truth else path.parent.name
        measured = real if path == truth else face(path)
        found = of_pictures | face_scores(model.action_unit_names, real, measured)
        if shown_emotion is not None:
            found["emotion_agreement"] = agreement(shown_emotion, _emotion(path, measured[0], emotion))
        if config.syncnet:
            found |= video_sync(path, measured[0].points, syncnet)
        scores[variant] = found
        logger.info("%s: %s", variant, ", ".join(f"{name} {value:.3f}" for name, value in found.items()))
    split = f"{clip}[{frames[0]}:{frames[-1] + 1}]"
    labels_of_rows = {
        "identity": identity,
        "clip": clip,
        "split": split,
        "crop": crop,
        "providers": providers,
        "seed": seed,
    }
    write_rows(out, scores, stamp(*lpips, *syncnet, *emotion), **labels_of_rows)


def _image_means(truth: Path, videos: list[Path], masks: Iterable[np.ndarray]) -> list[dict[str, float]]:
    """Image metrics of each video averaged over frames; `masks` [H, W] are of the crop's size.

    All videos are read side by side, so that nothing is decoded twice and nothing is held. A frame without head counts
    where it can.
    """
    scores: list[list[dict[str, float]]] = [[] for _ in videos]
    for real, mask, *pictures in zip(read_frames(truth), masks, *map(read_frames, videos), strict=True):
        head = _sized(mask, real)
        border = Border.of(real, head)
        for found, picture in zip(scores, pictures, strict=True):
            artefacts = {"floaters": border.floaters(picture), "seam_share": border.seam_share(picture)}
            found.append(image_scores(real, picture, head) | artefacts)
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


def _sized(mask: np.ndarray, frame: np.ndarray) -> np.ndarray:
    """A mask [H, W] bool on the pixel grid of `frame`."""
    height, width = frame.shape[:2]
    return resize(mask.astype(np.uint8) * 255, width, height) > 127


if __name__ == "__main__":
    stage.main(run)
