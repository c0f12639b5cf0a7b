"""The plate of a clip: every frame with head and neck removed, filled from what is seen around and in other frames.

Reads: crop.mp4, labels.mkv. Writes: plate.mp4, frame by frame with the crop.
"""

from pathlib import Path

from emotag import stage
from emotag.config import PlateConfig
from emotag.io.video import read_frames, read_gray, write_video
from emotag.tracking.plate import plate_frames
from emotag.types import FPS


def run(*, crop: Path, labels: Path, out: Path, config: PlateConfig) -> None:
    """Write the plate; a frame's plate is a function of pixels outside the head alone."""
    write_video(
        out,
        plate_frames(lambda: read_frames(crop), lambda: read_gray(labels), config.dilate_px),
        fps=FPS,
        crf=config.crf,
        all_intra=True,
    )


if __name__ == "__main__":
    stage.main(run)
