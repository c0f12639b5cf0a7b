"""Shape, camera, landmark offsets, neutral and vertex colours of one person, from the adaptation part alone.

Reads the head model, the clip's crop, landmarks and labels; writes `Subject`. Everything here is frozen afterwards.
Source: landmark fitting by Levenberg-Marquardt with robust weights, see `emotag.tracking.fit`.
"""

import dataclasses
import logging
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Landmarks
from emotag.config import ShapeConfig
from emotag.head import models
from emotag.io.stamps import stamp
from emotag.io.video import check_length, read_frames, read_gray
from emotag.parts import adaptation_part
from emotag.tracking import vhap
from emotag.tracking.fit import as_tracks, fit_shape, subject_of
from emotag.tracking.regions import head_mask
from emotag.tracking.vertex_colours import vertex_colours
from emotag.tracking.vhap import shape_fit

log = logging.getLogger(__name__)
COLOUR_FRAMES = 24


def run(
    *,
    head: Path,
    crop: Path,
    landmarks: Path,
    labels: Path,
    given: list[Path],
    clip: str,
    start_s: float,
    seconds: float,
    out: Path,
    config: ShapeConfig,
) -> None:
    """Fit the person and average their colours; `given` is VHAP's export where shape and camera are VHAP's.

    Raises:
        FootageError: the part lies outside the clip, or the face is not visible in it.
    """
    model, mesh = models.load(head), Landmarks.load(landmarks)
    check_length(crop, len(mesh.points), landmarks)
    start, stop = adaptation_part(len(mesh.points), start_s, seconds, clip)
    points, gaps = mesh.points[start:stop], mesh.interpolated[start:stop]
    size, neck = (mesh.width, mesh.height), None
    if given:
        fit, neck = shape_fit(model, vhap.read(given[0]), points, size, slice(start, stop), ~gaps)
    else:
        fit = fit_shape(model, points, size, config, gaps)
    subject = subject_of(model, fit, clip, (start, stop))
    tracks = as_tracks(model, subject, points, fit.state, gaps, neck)
    log.info("%s: landmarks fitted to %.2f px in the mean", clip, tracks.landmark_error[~gaps].mean())
    chosen = np.linspace(start, stop - 1, min(COLOUR_FRAMES, stop - start)).astype(int)
    masks = map(head_mask, read_gray(labels, only=chosen))
    frames = zip(chosen - start, read_frames(crop, only=chosen), masks, strict=True)
    colours, seen = vertex_colours(model, tracks, frames)
    log.info("%s: colours of %d of %d vertices seen", clip, (seen > 0).sum(), len(seen))
    dataclasses.replace(subject, vertex_colours=colours).save(out, stage.provenance() | stamp(*given))


if __name__ == "__main__":
    stage.main(run)
