"""Another system's video on the truth's frames, or refused."""

import numpy as np
import pytest

from emotag.config import RenderConfig
from emotag.errors import FootageError
from emotag.io.video import probe, read_frames, write_video
from emotag.stages import external

SOUND = np.sin(np.arange(16_000) / 20).astype(np.float32)


def film(path, frames, size, shade=None):
    shades = range(0, 10 * frames, 10) if shade is None else [shade] * frames
    write_video(
        path, (np.full((size, size, 3), 40 + value, np.uint8) for value in shades), crf=4, audio=SOUND[: 640 * frames]
    )
    return path


def test_frames_are_the_truths_in_number_and_size(tmp_path):
    truth, given, out = film(tmp_path / "truth.mp4", 8, 128), film(tmp_path / "a.mp4", 8, 64), tmp_path / "out.mp4"
    external.run(video=given, truth=truth, out=out, config=RenderConfig())
    made = probe(out)
    assert (made.frames, made.width, made.audio_streams) == (8, 128, 1)
    levels = [frame.mean() for frame in read_frames(out)]
    np.testing.assert_allclose(levels, np.arange(40, 120, 10), atol=3)


def test_another_number_of_frames_is_refused(tmp_path):
    truth, given = film(tmp_path / "truth.mp4", 8, 64), film(tmp_path / "a.mp4", 7, 64)
    with pytest.raises(FootageError, match="found 7 frames, expected 8"):
        external.run(video=given, truth=truth, out=tmp_path / "out.mp4", config=RenderConfig())
    assert not (tmp_path / "out.mp4").exists()
