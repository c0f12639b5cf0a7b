"""A video of another system, brought to the frames that every other row is measured on.

Reads: the video as it was given, truth.mp4. Writes: video.mp4 with the truth's frames, size and coding.
"""

from pathlib import Path

from emotag import stage
from emotag.config import RenderConfig
from emotag.errors import FootageError
from emotag.io.audio import read_audio
from emotag.io.video import probe, read_frames, write_video
from emotag.types import FPS


def run(*, video: Path, truth: Path, out: Path, config: RenderConfig) -> None:
    """Resize and code `video` as renders are.

    Raises:
        FootageError: it does not have the truth's frames, so nothing could be compared.
    """
    given, real = probe(video), probe(truth)
    if given.frames != real.frames:
        raise FootageError(
            f"{video}: found {given.frames} frames, expected {real.frames}, those of {truth} ({FPS} frames a second); "
            "make the video of these frames"
        )
    frames = read_frames(video, size=real.width)
    sound = read_audio(video) if given.audio_streams else read_audio(truth)
    write_video(out, frames, fps=FPS, crf=config.crf, audio=sound)


if __name__ == "__main__":
    stage.main(run)
