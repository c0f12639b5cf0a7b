"""Corpus of the clips named in `corpus.clips`: their tracked motion with cues, emotion, identity and speech.

Reads, one a clip and in the order of `clips`: Tracks, ActionUnits, Emotion, Identity, Speech and sync.json.
Writes: a Corpus without the clips of the person `leave_out`, and without those that a judgement of `curation` (none, or
one a clip) rejects.
"""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from emotag import stage
from emotag.artifacts import ActionUnits, Corpus, Emotion, Identity, Speech, Tracks
from emotag.errors import ArtifactMismatch, ConfigError
from emotag.io.artifact import read_json
from emotag.io.tensors import Spool, StoredArray
from emotag.motion.channels import motion_names
from emotag.motion.cues import prosody_of, upper_face_units

log = logging.getLogger(__name__)


def run(
    *,
    clips: list[str],
    people: list[str],
    tracks: list[Path],
    action_units: list[Path],
    emotion: list[Path],
    identity: list[Path],
    speech: list[Path],
    sync: list[Path],
    out: Path,
    curation: list[Path] | None = None,
    leave_out: str = "",
) -> None:
    """Gather the corpus. `people` [one a clip] says who speaks."""
    files = [tracks, action_units, emotion, identity, speech, sync]
    if any(len(column) != len(clips) for column in (people, *files)):
        counts = ", ".join(str(len(column)) for column in (clips, people, *files))
        raise ConfigError(
            f"corpus: found lists of {counts} entries, expected one entry a clip in each; correct the call"
        )
    chosen = [row for row in zip(clips, people, *files, strict=True) if row[1] != leave_out]
    if not chosen:
        raise ConfigError(
            f"corpus.clips: all show {leave_out}, who is adapted and thus left out; name clips of other people, "
            "or none to use the synthetic corpus"
        )
    rejected = left_out_by(curation or [])
    for clip in (row[0] for row in chosen if row[0] in rejected):
        log.warning("%s is left out: %s", clip, rejected[clip])
    chosen = [row for row in chosen if row[0] not in rejected]
    if not chosen:
        raise ConfigError(
            "corpus: curation leaves no clip (results/tables/curation.csv says why); change its limits, add clips, or set "
            "corpus.curated: false"
        )
    # Each clip's arrays wait on disk: memory does not grow with their number.
    spool = Spool(out.parent)
    columns: dict[str, dict[str, StoredArray]] = {}
    offsets: dict[str, float] = {}
    models: set[tuple[str, tuple[str, ...]]] = set()
    for clip, _, *paths in chosen:
        tracked, arrays, offsets[clip] = columns_of(*paths)
        models.add((tracked.head_model, tuple(tracked.expression_names)))
        for name, array in arrays.items():
            columns.setdefault(name, {})[clip] = spool.keep(array)
    if len(models) > 1:
        names = ", ".join(name for name, _ in sorted(models))
        raise ArtifactMismatch(
            f"corpus: the clips are tracked with different heads ({names}), expected one; track again"
        )
    ((head_model, expression_names),) = models
    people_of = {row[0]: row[1] for row in chosen}
    Corpus(
        head_model=head_model,
        motion_names=motion_names(expression_names),
        **columns,
        people=people_of,
        offset_frames=offsets,
        provider="clips",
    ).save(out, stage.provenance())
    log.info("%d clips of %d people", len(chosen), len(set(people_of.values())))


def left_out_by(judgements: list[Path]) -> dict[str, str]:
    """{clip: reasons} of the clips that were rejected."""
    read = [read_json(path, "clip", "kept", "reasons") for path in judgements]
    return {content["clip"]: "; ".join(content["reasons"]) for content in read if not content["kept"]}


def columns_of(
    tracks: Path, action_units: Path, emotion: Path, identity: Path, speech: Path, sync: Path
) -> tuple[Tracks, dict[str, Any], float]:
    """Tracks, the Corpus' arrays and the audio-visual offset of one clip."""
    tracked, cues, felt, spoken = (
        kind.load(path)
        for kind, path in ((Tracks, tracks), (ActionUnits, action_units), (Emotion, emotion), (Speech, speech))
    )
    arrays = {
        "motion": np.concatenate([tracked.expression, tracked.jaw], 1),
        "action_units": upper_face_units(cues),
        "emotion": felt.probabilities,
    }
    frames = min(map(len, arrays.values()))
    arrays = {name: np.asarray(array[:frames], np.float32) for name, array in arrays.items()}
    arrays["identity"] = np.asarray(Identity.load(identity).embedding, np.float32)
    arrays["features"] = np.asarray(spoken.features, np.float32)
    arrays["prosody"] = prosody_of(spoken)
    return tracked, arrays, float(read_json(sync, "offset_frames")["offset_frames"])


if __name__ == "__main__":
    stage.main(run)
