"""The audio-visual offset of a clip, from the adaptation part alone.

Reads `Landmarks` and `Speech` of the clip, the `LipRidge`, and the `Articulation` (or none); writes sync.json.
`offset_frames` > 0: the video is late, its frame k shows what is heard at (k - offset) / 25 s. `heard_by` says which of the two
priors found it: the articulation where a voice is synthetic.
"""

import logging
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Landmarks, LipRidge, Speech
from emotag.config import SyncConfig
from emotag.errors import ArtifactMismatch
from emotag.io.artifact import write_json
from emotag.motion import articulation as articulations
from emotag.motion.ridge import Ridge
from emotag.parts import adaptation_part
from emotag.tracking.lip_measures import lip_measures
from emotag.tracking.sync import Listener, Offset, best
from emotag.types import FPS

log = logging.getLogger(__name__)


def run(
    *,
    landmarks: Path,
    speech: Path,
    lips: Path,
    articulation: list[Path],
    start_s: float,
    seconds: float,
    out: Path,
    config: SyncConfig,
) -> None:
    """Estimate the offset and say so where it is large or cannot be told; `articulation`: none or one file.

    Raises:
        ArtifactMismatch: the speech features are not those the prior reads.
    """
    mesh, spoken, prior = Landmarks.load(landmarks), Speech.load(speech), LipRidge.load(lips)
    if spoken.revision != prior.speech_revision:
        raise ArtifactMismatch(
            f"{speech}: features are {spoken.revision}, expected {prior.speech_revision} as in {lips}; make both again"
        )
    start, stop = adaptation_part(len(mesh.points), start_s, seconds)
    seen = np.flatnonzero(~mesh.interpolated[start:stop])
    measures = lip_measures(mesh.points[start:stop])[seen]
    listeners: dict[str, Listener] = {"ridge": Ridge.from_arrays(prior.ridge)}
    for path in articulation:
        listeners["articulation"] = articulations.listening(articulations.load(path, spoken.revision))
    heard_by, found = best(listeners, spoken.features, measures, start + seen, float(config.max_lag_frames))
    offset = found.frames + config.lead_frames if found.told else 0.0
    warning = complaint(found, offset, config)
    if warning:
        log.warning("%s: %s", landmarks, warning)
    report = {
        "offset_frames": round(offset, 4),
        "lead_frames": config.lead_frames,
        "told": found.told,
        "heard_by": heard_by,
        "correlation": {name: round(value, 4) for name, value in found.correlation.items()},
        "peak": round(found.peak, 4),
        "second_peak": round(found.second_peak, 4),
        "window_s": [start / FPS, stop / FPS],
        "max_lag_frames": config.max_lag_frames,
        "warning": warning,
    }
    write_json(out, report)


def complaint(found: Offset, offset: float, config: SyncConfig) -> str | None:
    """What the user should know of the offset, if anything."""
    if not found.told:
        return (
            f"lips and sound do not go together (correlation {found.peak:.2f} at best within "
            f"{config.max_lag_frames} frames), so no offset is corrected; is the talker the one who is seen?"
        )
    if abs(offset) > config.warn_frames:
        side = "late" if offset > 0 else "early"
        return f"video is {abs(offset):.1f} frames ({abs(offset) / FPS * 1000:.0f} ms) {side}; this is corrected"
    return None


if __name__ == "__main__":
    stage.main(run)
