"""The plate of a clip: every frame with head and neck removed, filled from what is seen around and in other frames.

Reads: crop.mp4, labels.mkv. Writes: plate.mp4, frame by frame with the crop.
"""

from pathlib import Path

from emotag import stage
from emotag.config import PlateConfig
from emotag.io.video import probe, read_frames, read_gray, write_video
from emotag.parts import spread
from emotag.tracking.plate import SAMPLED_FRAMES, plate_frames
from emotag.types import FPS


def run(*, crop: Path, labels: Path, out: Path, config: PlateConfig) -> None:
    """Write the plate; a frame's plate is a function of pixels outside the head alone."""
    chosen = spread(probe(crop).frames, SAMPLED_FRAMES)
    sample = zip(read_frames(crop, only=chosen), read_gray(labels, only=chosen), strict=True)
    clip = zip(read_frames(crop), read_gray(labels), strict=True)
    write_video(out, plate_frames(sample, clip, config.dilate_px), fps=FPS, crf=config.crf, all_intra=True)


if __name__ == "__main__":
    stage.main(run)
