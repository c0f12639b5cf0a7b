"""Person alpha and region labels of a clip.

Reads: crop.mp4, Landmarks, and VHAP's masks where they are the alpha. Writes: alpha.mkv and labels.mkv (FFV1, grey;
`emotag.tracking.regions.LABELS` are the values).
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
from emotag.tracking.vhap_folder import masks_of

LEARNT_FROM = 12
INSIDE = 127


def run(
    *, crop: Path, landmarks: Path, given: list[Path], out_alpha: Path, out_labels: Path, config: MatteConfig
) -> None:
    """Write both masks, frame by frame with the crop; `given` is VHAP's export where the alpha is VHAP's."""
    mesh = Landmarks.load(landmarks)
    points = mesh.points
    check_length(crop, len(points), landmarks)
    alphas = masks_of(given[0], (mesh.width, mesh.height)) if given else person_alpha(read_frames(crop))
    write_gray(out_alpha, alphas)
    check_length(out_alpha, len(points), given[0] if given else crop)
    chosen = spread(len(points), LEARNT_FROM)
    inside = [alpha > INSIDE for alpha in read_gray(out_alpha, only=chosen)]
    colours = learn_colours(list(read_frames(crop, only=chosen)), list(points[chosen]), inside)

    def labels() -> Iterator[np.ndarray]:
        for index, (frame, alpha) in enumerate(zip(read_frames(crop), read_gray(out_alpha), strict=True)):
            yield label_frame(frame, points[index], alpha > INSIDE, colours)

    write_gray(out_labels, labels())


if __name__ == "__main__":
    stage.main(run)
