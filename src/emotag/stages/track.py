"""Pose, expression, jaw and eyes of every frame of a clip, with the person's shape and camera frozen.

Reads the head model, `Subject` and the clip's landmarks; writes `Tracks`. See `emotag.tracking.fit`.
"""

import logging
from pathlib import Path

from emotag import stage
from emotag.artifacts import Landmarks, Subject
from emotag.config import TrackConfig
from emotag.errors import ArtifactMismatch
from emotag.head import makehuman
from emotag.tracking.errors import errors
from emotag.tracking.fit import fit_tracks
from emotag.tracking.posing import model_points

log = logging.getLogger(__name__)


def run(*, head: Path, subject: Path, landmarks: Path, out: Path, config: TrackConfig) -> None:
    """Track the clip.

    Raises:
        ArtifactMismatch: crop and subject differ in size or head model.
        FootageError: the face is visible in fewer than five frames.
    """
    model, person, mesh = makehuman.load(head), Subject.load(subject), Landmarks.load(landmarks)
    expected = (person.camera["width"], person.camera["height"])
    if (mesh.width, mesh.height) != expected:
        raise ArtifactMismatch(
            f"{landmarks}: crop of {mesh.width} x {mesh.height} px, expected {expected[0]} x {expected[1]} as in {subject}; "
            "crop all clips of an identity to one size"
        )
    tracks = fit_tracks(model, person, mesh.points, config, mesh.interpolated)
    tracks.save(out, stage.provenance())
    found = errors(mesh.points, model_points(model, tracks, person.landmark_offsets), ~tracks.interpolated)
    log.info("%s", ", ".join(f"{name} {100 * value:.2f} %" for name, value in found.items()))


if __name__ == "__main__":
    stage.main(run)
