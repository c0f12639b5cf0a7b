"""Sound: level, time and rate survive any format; the clock starts with the picture."""

from fractions import Fraction

import av
import numpy as np
import pytest

from emotag.errors import FootageError
from emotag.io import audio, video


def encode(path, samples, rate, layout="mono", codec="pcm_s16le", start_s=0.0, picture_start_s=None):
    """Sound [channels, n] that starts at `start_s`, beside a picture that starts at `picture_start_s`."""
    with av.open(str(path), "w") as container:
        picture = None
        if picture_start_s is not None:
            picture = container.add_stream("ffv1", rate=25)
            picture.width, picture.height, picture.pix_fmt = 32, 32, "gray"
            picture.codec_context.time_base = Fraction(1, 1000)
        stream = container.add_stream(codec, rate=rate, layout=layout)
        for index in range(25 if picture else 0):
            frame = av.VideoFrame.from_ndarray(np.zeros((32, 32), np.uint8), format="gray")
            frame.pts, frame.time_base = round(picture_start_s * 1000) + 40 * index, Fraction(1, 1000)
            container.mux(picture.encode(frame))
        data = (np.atleast_2d(samples) * 32767).astype(np.int16)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(data.T.reshape(1, -1)), format="s16", layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, round(start_s * rate), Fraction(1, rate)
        container.mux(stream.encode(frame))
        for one in (picture, stream):
            if one is not None:
                container.mux(one.encode())


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 44100, 48000])
def test_a_tone_keeps_level_and_phase(tmp_path, rate):
    time = np.arange(rate) / rate
    encode(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 440 * time), rate)
    found = audio.read_audio(tmp_path / "a.wav")
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(len(found)) / 16000)
    assert found.dtype == np.float32 and len(found) == pytest.approx(16000, abs=1)
    assert np.abs(found - expected)[400:-400].max() < 5e-3


def test_channels_are_averaged(tmp_path):
    left, right = np.full(8000, 0.5), np.full(8000, -0.1)
    encode(tmp_path / "a.wav", np.stack([left, right]), 8000, "stereo")
    assert audio.read_audio(tmp_path / "a.wav", 8000)[1000:7000] == pytest.approx(0.2, abs=1e-3)


@pytest.mark.parametrize(("picture", "sound", "expected"), [(0.0, 0.2, 0.3), (0.4, 0.0, -0.3), (0.2, 0.2, 0.1)])
def test_clock_starts_with_the_picture(tmp_path, picture, sound, expected):
    """A click 0.1 s into the sound; the picture starts at `picture`."""
    samples = np.zeros(16000)
    samples[1600] = 0.9
    samples[9600] = 0.7
    encode(tmp_path / "a.mkv", samples, 16000, start_s=sound, picture_start_s=picture)
    found = audio.read_audio(tmp_path / "a.mkv")
    clicks = np.flatnonzero(np.abs(found) > 0.5) / 16000
    wanted = [time for time in (expected, expected + 0.5) if time >= 0]
    np.testing.assert_allclose(clicks, wanted, atol=2e-3)


def test_wav_round_trip(tmp_path):
    samples = np.random.default_rng(0).uniform(-1, 1, 1600).astype(np.float32)
    audio.write_wav(tmp_path / "a.wav", samples)
    np.testing.assert_allclose(audio.read_audio(tmp_path / "a.wav"), samples, atol=1 / 32768)


def test_excerpt_pads_with_silence():
    samples = np.arange(1, 11, dtype=np.float32)
    np.testing.assert_array_equal(audio.excerpt(samples, 0.2, 0.3, 10), [3, 4, 5])
    np.testing.assert_array_equal(audio.excerpt(samples, -0.2, 0.4, 10), [0, 0, 1, 2])
    np.testing.assert_array_equal(audio.excerpt(samples, 0.8, 0.4, 10), [9, 10, 0, 0])
    np.testing.assert_array_equal(audio.excerpt(samples, -9, 0.2, 10), [0, 0])
    np.testing.assert_array_equal(audio.excerpt(samples, 9, 0.2, 10), [0, 0])


def test_no_sound_is_refused(tmp_path):
    video.write_video(tmp_path / "a.mp4", [np.zeros((32, 32, 3), np.uint8)] * 3)
    with pytest.raises(FootageError, match="audio"):
        audio.read_audio(tmp_path / "a.mp4")
    (tmp_path / "a.wav").write_bytes(b"RIFF nothing")
    with pytest.raises(FootageError, match="a.wav"):
        audio.read_audio(tmp_path / "a.wav")
