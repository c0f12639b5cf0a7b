"""Person alpha and region labels of a clip.

Reads: crop.mp4, Landmarks. Writes: alpha.mkv and labels.mkv (FFV1, grey; `emotag.tracking.regions.LABELS` are the values).
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Landmarks
from emotag.config import MatteConfig
from emotag.io.video import check_length, read_frames, read_gray, write_gray
from emotag.parts import spread
from emotag.tracking.matte import person_alpha
from emotag.tracking.regions import label_frame, learn_colours

LEARNT_FROM = 12
INSIDE = 127


def run(*, crop: Path, landmarks: Path, out_alpha: Path, out_labels: Path, config: MatteConfig) -> None:
    """Write both masks, frame by frame with the crop."""
    points = Landmarks.load(landmarks).points
    check_length(crop, len(points), landmarks)
    write_gray(out_alpha, person_alpha(read_frames(crop)))
    chosen = spread(len(points), LEARNT_FROM)
    inside = [alpha > INSIDE for alpha in read_gray(out_alpha, only=chosen)]
    colours = learn_colours(list(read_frames(crop, only=chosen)), list(points[chosen]), inside)

    def labels() -> Iterator[np.ndarray]:
        for index, (frame, alpha) in enumerate(zip(read_frames(crop), read_gray(out_alpha), strict=True)):
            yield label_frame(frame, points[index], alpha > INSIDE, colours)

    write_gray(out_labels, labels())


if __name__ == "__main__":
    stage.main(run)
