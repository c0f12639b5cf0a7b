"""Pose, expression, jaw and eyes of every frame of a clip, with the person's shape and camera frozen.

Reads the head model, `Subject` and the clip's crop, landmarks and labels; writes `Tracks`. See `emotag.tracking.fit` and
`emotag.tracking.refinement`.
"""

import logging
from pathlib import Path

from emotag import stage
from emotag.artifacts import Landmarks, Subject, Tracks
from emotag.config import TrackConfig
from emotag.errors import ArtifactMismatch
from emotag.head import models
from emotag.head.base import HeadModel
from emotag.io.stamps import stamp
from emotag.io.video import check_length, read_frames, read_gray
from emotag.tracking import vhap
from emotag.tracking.blendshapes import blendshape_scores, motion_of
from emotag.tracking.errors import errors
from emotag.tracking.fit import fit_tracks
from emotag.tracking.posing import model_points
from emotag.tracking.refinement import refine

log = logging.getLogger(__name__)


def run(
    *,
    head: Path,
    subject: Path,
    crop: Path,
    landmarks: Path,
    labels: Path,
    given: list[Path],
    blendshapes: list[Path],
    clip: str,
    out: Path,
    config: TrackConfig,
) -> None:
    """Track the clip; what the face looks like is learnt from the adaptation part, or from all of another clip. `given` is
    VHAP's export where the tracks are VHAP's: they are then taken as they are; `blendshapes` the network whose scores the fit
    begins with, or nothing.

    Raises:
        ArtifactMismatch: crop and subject differ in size or head model.
        FootageError: the face is visible in fewer than five frames.
    """
    model, person, mesh = models.load(head), Subject.load(subject), Landmarks.load(landmarks)
    expected = (person.camera["width"], person.camera["height"])
    if (mesh.width, mesh.height) != expected:
        raise ArtifactMismatch(
            f"{landmarks}: crop of {mesh.width} x {mesh.height} px, expected {expected[0]} x {expected[1]} as in {subject}; "
            "crop all clips of an identity to one size"
        )
    check_length(crop, len(mesh.points), landmarks)
    if given:
        tracks = vhap.tracks_of(model, vhap.read(given[0]), person, mesh.points, mesh.interpolated)
        _log_errors("VHAP", model, person, mesh, tracks)
        tracks.save(out, stage.provenance() | stamp(*given))
        return
    begun = motion_of(blendshape_scores(blendshapes[0], read_frames(crop)), model) if blendshapes else None
    tracks = fit_tracks(model, person, mesh.points, config, mesh.interpolated, begun)
    _log_errors("landmarks", model, person, mesh, tracks)
    if config.photometric > 0:
        part = slice(*person.part) if person.clip == clip else slice(None)
        footage = zip(read_frames(crop), read_gray(labels), strict=True)
        tracks = refine(model, person, tracks, mesh.points, footage, part, config)
        _log_errors("with pictures", model, person, mesh, tracks)
    tracks.save(out, stage.provenance() | stamp(*blendshapes))


def _log_errors(name: str, model: HeadModel, person: Subject, mesh: Landmarks, tracks: Tracks) -> None:
    found = errors(mesh.points, model_points(model, tracks, person.landmark_offsets), ~tracks.interpolated)
    log.info("%s: %s", name, ", ".join(f"{key} {100 * value:.2f} %" for key, value in found.items()))


if __name__ == "__main__":
    stage.main(run)
