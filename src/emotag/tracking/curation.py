"""Which clips of a corpus are fit for a prior: the filters of 3DXTalker's data pipeline, each with its number and limit.

Its thresholds are the defaults (10 s, 8 dB, English with 0.8, 512 px). Its SyncNet confidence is replaced by the correlation
of the lips with those that the speech asks for (`emotag.tracking.sync`), and cuts are looked for within the crop.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

from emotag.config import CurationConfig
from emotag.types import SAMPLE_RATE_HZ

SPAN_S = 0.02
# Cuts are looked for on pictures of this edge.
THUMBNAIL_PX = 64


@dataclass
class Judgement:
    """`reasons` to leave a clip out, and filters that were `not_judged`, with why."""

    measures: dict[str, float | str | None] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)
    not_judged: list[str] = field(default_factory=list)

    def at_least(self, name: str, value: float, limit: float, unit: str) -> None:
        """Keep what is not under the limit."""
        self.measures[name] = value
        if not value >= limit:
            self.reasons.append(f"{name}: found {value:.3g}{unit}, expected at least {limit:g}{unit}")

    def at_most(self, name: str, value: float, limit: float, unit: str) -> None:
        """Keep what is not over the limit."""
        self.measures[name] = value
        if not value <= limit:
            self.reasons.append(f"{name}: found {value:.3g}{unit}, expected at most {limit:g}{unit}")


def speech_over_floor_db(samples: np.ndarray) -> float:
    """10 log10 of the 80th over the 20th percentile of the RMS of 20 ms spans, as 3DXTalker's code has it.

    It is a ratio of amplitudes under a factor for powers: half of what is usually called decibels.
    """
    span = round(SPAN_S * SAMPLE_RATE_HZ)
    spans = np.asarray(samples[: len(samples) // span * span], np.float64).reshape(-1, span)
    if not len(spans):
        return 0.0
    level = np.sqrt((spans**2).mean(1)) + 1e-8
    return float(10 * np.log10(np.percentile(level, 80) / np.percentile(level, 20)))


def scene_cuts(frames: Iterable[np.ndarray], threshold: float) -> list[int]:
    """Frames [H, W, 3] uint8 that differ from the one before by more than `threshold` in the mean over hue, saturation
    and value (0 to 255, hue to 179), as PySceneDetect's content detector counts."""
    cuts, before = [], None
    for index, frame in enumerate(frames):
        small = cv2.resize(frame, (THUMBNAIL_PX, THUMBNAIL_PX), interpolation=cv2.INTER_AREA)
        now = cv2.cvtColor(small, cv2.COLOR_RGB2HSV).astype(np.float32)
        if before is not None:
            change = np.abs(now - before)
            # Hue is an angle.
            change[..., 0] = np.minimum(change[..., 0], 180 - change[..., 0])
            if change.mean() > threshold:
                cuts.append(index)
        before = now
    return cuts


def judge(
    facts: dict,
    samples: np.ndarray,
    sync: dict,
    cuts: list[int],
    spoken: dict[str, float] | None,
    config: CurationConfig,
) -> Judgement:
    """All filters on one clip: `facts` as in crop.json, `sync` as in sync.json, `spoken` {language: probability}."""
    result = Judgement()
    result.at_least("seconds", facts["duration_s"], config.min_seconds, " s")
    result.at_least("speech_over_floor_db", speech_over_floor_db(samples), config.min_snr_db, " dB")
    result.at_least(
        "short_side_px", min(facts["source"]["width"], facts["source"]["height"]), config.min_side_px, " px"
    )
    result.at_most("cuts", len(cuts), config.max_cuts, "")
    if sync.get("told", True):
        result.at_least("lip_correlation", float(sync["peak"]), config.min_lip_correlation, "")
        result.at_most("offset_frames", abs(float(sync["offset_frames"])), config.max_offset_frames, " frames")
    else:
        result.reasons.append("sync: lips and sound could not be brought together, expected a clear offset")
    _judge_language(result, spoken, config)
    return result


def _judge_language(result: Judgement, spoken: dict[str, float] | None, config: CurationConfig) -> None:
    if not config.languages:
        result.not_judged.append("language: none is asked for (curation.languages)")
    elif spoken is None:
        result.not_judged.append("language: no multilingual Whisper is given (curation.language_model)")
    else:
        likely = max(spoken, key=lambda name: spoken[name])
        result.measures["language"] = likely
        wanted = sum(spoken.get(name, 0.0) for name in config.languages)
        result.at_least("language_probability", wanted, config.min_language_probability, f" (most likely {likely})")
