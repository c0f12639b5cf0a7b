"""The test part as a video of its own, frame by frame with what `render` makes.

Reads: crop.mp4, audio.wav and one driven Motion (which frames, and where the audio starts after the offset correction).
Writes: truth.mp4.
"""

from pathlib import Path

from emotag import stage
from emotag.artifacts import Motion
from emotag.config import RenderConfig
from emotag.io.audio import excerpt, read_audio
from emotag.io.video import read_frames, write_video
from emotag.types import FPS


def run(*, crop: Path, audio: Path, motion: Path, out: Path, config: RenderConfig) -> None:
    """Cut the ground truth of a self-driven run out of the crop."""
    driven = Motion.load(motion)
    frames = read_frames(crop, driven.frames[0], driven.frames[-1] + 1, size=config.size_px)
    sound = excerpt(read_audio(audio), driven.audio_start_s, len(driven.frames) / FPS)
    write_video(out, frames, fps=FPS, crf=config.crf, audio=sound)


if __name__ == "__main__":
    stage.main(run)
