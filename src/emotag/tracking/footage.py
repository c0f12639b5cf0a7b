"""What makes footage unusable, found before anything is computed, with every reason at once.

Checks come in three steps, each reading more of the file: the file itself (`check_file`), its sound (`check_sound`) and
its faces (`check_faces`). Each returns reasons; `refuse` turns them into one line.
"""

import itertools
from pathlib import Path

import numpy as np

from emotag.config import CropConfig
from emotag.errors import FootageError
from emotag.io.video import EXTENSIONS, IMAGE_EXTENSIONS, VideoInfo
from emotag.tracking.faces import FaceTrack, rivals
from emotag.types import SAMPLE_RATE_HZ

MIN_FPS = 15.0
SILENT_DBFS = -60.0
MIN_PRESENCE = 0.5
_STILL_DIFFERENCE = 3.0
_SAME_DIFFERENCE = 0.02


def check_extension(path: Path) -> None:
    """Refuse a file whose name does not end as a video's does.

    Raises:
        FootageError: an image, or an unknown extension.
    """
    extension = Path(path).suffix.lower()
    if extension in IMAGE_EXTENSIONS:
        raise FootageError(f"{path}: found a still image ({extension}), expected a video of a person speaking")
    if extension not in EXTENSIONS:
        known = " ".join(sorted(EXTENSIONS))
        raise FootageError(
            f"{path}: found the extension {extension or 'none'!r}, expected one of {known}; convert or rename the file"
        )


def check_file(info: VideoInfo, config: CropConfig) -> list[str]:
    """Reasons that stand in the file's header: a still image, too short, too few frames a second, no sound."""
    if info.still_image:
        return ["found a still image stored as video, expected moving pictures: record a video of the person speaking"]
    reasons = []
    if info.duration_s < config.min_seconds - 0.02:
        reasons.append(
            f"found {info.duration_s:.2f} s, expected at least {config.min_seconds:g} s: record a longer clip or lower "
            "crop.min_seconds"
        )
    if info.fps < MIN_FPS:
        reasons.append(
            f"found {info.fps:.3g} frames a second, expected at least {MIN_FPS:g}: lips cannot be followed at this rate, "
            "record at 25 or more"
        )
    if info.audio_streams == 0:
        reasons.append("found no audio stream, expected one: export the video with its sound")
    return reasons


def sound_facts(samples: np.ndarray) -> dict[str, float]:
    """Level of mono sound at 16 kHz: RMS and peak in dB below full scale (-200 for digital silence), the share of clipped
    samples, length in s."""
    rms = float(np.sqrt(np.mean(samples.astype(np.float64) ** 2))) if samples.size else 0.0
    peak = float(np.abs(samples).max()) if samples.size else 0.0
    return {
        "rms_dbfs": round(20 * np.log10(max(rms, 1e-10)), 2),
        "peak_dbfs": round(20 * np.log10(max(peak, 1e-10)), 2),
        "clipped_share": round(float(np.mean(np.abs(samples) >= 0.999)), 6) if samples.size else 0.0,
        "duration_s": samples.size / SAMPLE_RATE_HZ,
    }


def check_sound(facts: dict[str, float], duration_s: float) -> list[str]:
    """Reasons in the sound: silence, or sound for less than half of the picture."""
    if facts["rms_dbfs"] < SILENT_DBFS:
        return [
            f"found a silent audio track ({facts['rms_dbfs']:.0f} dBFS RMS), expected speech above {SILENT_DBFS:.0f} dBFS: "
            "check the microphone or the export"
        ]
    if facts["duration_s"] < 0.5 * duration_s:
        return [
            f"found {facts['duration_s']:.2f} s of sound for {duration_s:.2f} s of picture, expected sound throughout: "
            "export the video with its whole sound"
        ]
    return []


def check_faces(tracks: list[FaceTrack], sampled: int, fps: float, config: CropConfig) -> list[str]:
    """Reasons in the faces: none, seldom seen, too small, or a second one of similar size."""
    if not tracks:
        return [
            f"found no face in {sampled} sampled frames, expected one person facing the camera: film from the front"
        ]
    main, reasons = tracks[0], []
    presence = len(main.faces) / sampled
    others = rivals(tracks, sampled, config.rival_face_share)
    if presence < MIN_PRESENCE and not others:
        reasons.append(
            f"found the face in {presence:.0%} of the sampled frames, expected at least {MIN_PRESENCE:.0%}: keep it in view"
        )
    if main.height < config.min_face_px:
        reasons.append(
            f"found a face {main.height:.0f} px high (brows to chin, median, source px), expected at least "
            f"{config.min_face_px}: film nearer or at a higher resolution"
        )
    if others and all(set(other.frames).isdisjoint(main.frames) for other in others):
        cut = max(main.frames[0], others[0].frames[0]) / fps
        reasons.append(
            f"found that the face jumps to another place or size (from {cut:.1f} s on), expected one shot: give one shot "
            "of one person"
        )
    elif others:
        second = others[0]
        reasons.append(
            f"found {1 + len(others)} faces of similar size ({main.height:.0f} and {second.height:.0f} px high, the second "
            f"from {second.frames[0] / fps:.1f} s on), expected one person: cut the clip to one speaker"
        )
    return reasons


def is_frozen(thumbnails: list[np.ndarray]) -> bool:
    """Whether thumbnails [h, w, 3] uint8 of one place, the face's in the first frame, all show the same picture.

    The largest mean difference from the first is 1 to 3 levels where a photograph is merely compressed hard, and 7 to 30
    where a face speaks.
    """
    if len(thumbnails) < 2:
        return False
    first = thumbnails[0].astype(np.float32)
    return max(float(np.abs(other - first).mean()) for other in thumbnails[1:]) < _STILL_DIFFERENCE


def standing_share(thumbnails: list[np.ndarray]) -> float:
    """Share of the thumbnails [h, w, 3] uint8 that repeat the one before: 0 where a camera runs, whose noise never does."""
    pairs = list(itertools.pairwise(thumbnail.astype(np.float32) for thumbnail in thumbnails))
    return sum(float(np.abs(b - a).mean()) <= _SAME_DIFFERENCE for a, b in pairs) / max(1, len(pairs))


def refuse(path: Path, reasons: list[str]) -> None:
    """Raise one line with all reasons, if there are any.

    Raises:
        FootageError: there is at least one reason.
    """
    if len(reasons) == 1:
        raise FootageError(f"{path}: {reasons[0]}")
    if reasons:
        listed = "; ".join(f"({number}) {reason}" for number, reason in enumerate(reasons, 1))
        raise FootageError(f"{path}: cannot be used for {len(reasons)} reasons: {listed}")
