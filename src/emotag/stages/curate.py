"""Is a clip fit for the corpus of a prior? Every filter, with its number, its limit and the reason.

Reads: crop with its facts and sound, sync.json. Writes: JSON (clip, kept, reasons, not_judged, measures).
"""

import logging
from dataclasses import asdict
from pathlib import Path

from emotag import stage
from emotag.audio.language import languages
from emotag.config import CurationConfig
from emotag.io.artifact import read_json, write_json
from emotag.io.audio import read_audio
from emotag.io.video import read_frames
from emotag.tracking import curation

log = logging.getLogger(__name__)


def run(*, clip: str, crop: Path, crop_info: Path, audio: Path, sync: Path, out: Path, config: CurationConfig) -> None:
    """Judge one clip."""
    samples = read_audio(audio)
    asked = bool(config.languages) and config.language_model is not None
    spoken = languages(samples, Path(config.language_model)) if asked else None
    facts = read_json(crop_info, "duration_s", "source")
    offset = read_json(sync, "offset_frames", "peak")
    cuts = curation.scene_cuts(read_frames(crop), config.cut_threshold)
    judged = curation.judge(facts, samples, offset, cuts, spoken, config)
    kept = not judged.reasons
    write_json(out, {"clip": clip, "kept": kept, **asdict(judged), "provenance": stage.provenance()})
    log.info("%s: %s", clip, "kept" if kept else "left out: " + "; ".join(judged.reasons))
    for line in judged.not_judged:
        log.warning("%s: not judged: %s", clip, line)


if __name__ == "__main__":
    stage.main(run)
