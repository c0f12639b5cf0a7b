"""Find the face mesh in every frame of a crop.

Reads the crop's mp4, writes `Landmarks`: 478 points a frame in px (MediaPipe face mesh with refined lips, eyes and iris;
Kartynnik et al. 2019, Grishchenko et al. 2020). `confidence` is 1 where the mesh was found and 0 where it was interpolated:
the network's own score is not given out.
"""

import logging
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Landmarks
from emotag.config import LandmarksConfig
from emotag.errors import FootageError
from emotag.io.stamps import package_stamp
from emotag.io.video import probe, read_frames
from emotag.tracking.face_mesh import fill_gaps, follow

log = logging.getLogger(__name__)

MIN_FOUND = 0.5
NETWORK = "mediapipe/modules/face_landmark/face_landmark_with_attention.tflite"


def run(*, crop: Path, out: Path, config: LandmarksConfig) -> None:
    """Follow the mesh through the crop, interpolate gaps, save.

    Raises:
        FootageError: the mesh is found in fewer than half of the frames.
    """
    info = probe(crop)
    points, found = follow(read_frames(crop), config.min_confidence)
    if found.mean() < MIN_FOUND:
        raise FootageError(
            f"{crop}: found the face mesh in {found.mean():.0%} of {len(found)} frames, expected at least {MIN_FOUND:.0%}; "
            "film the face from the front, evenly lit and not covered"
        )
    if not found.all():
        log.warning("%s: no face mesh in %d of %d frames; they are interpolated", crop, (~found).sum(), len(found))
    landmarks = Landmarks(
        points=fill_gaps(points, found),
        confidence=found.astype(np.float32),
        interpolated=~found,
        width=info.width,
        height=info.height,
    )
    landmarks.save(out, stage.provenance() | package_stamp("mediapipe", NETWORK))


if __name__ == "__main__":
    stage.main(run)
