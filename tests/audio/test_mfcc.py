"""MFCCs against python_speech_features where it is installed, and by properties where it is not."""

import numpy as np
import pytest

from emotag.audio.mfcc import mfcc


def sound(samples: int) -> np.ndarray:
    t = np.arange(samples) / 16000
    return (8000 * np.sin(2 * np.pi * (150 + 900 * t) * t) + np.random.default_rng(0).normal(0, 300, samples)).round()


@pytest.mark.parametrize("samples", [300, 400, 401, 5000, 16000])
def test_equals_the_package(samples):
    package = pytest.importorskip("python_speech_features")
    np.testing.assert_allclose(mfcc(sound(samples)), package.mfcc(sound(samples), 16000), atol=1e-9)


def test_frames_are_10_ms_apart_and_the_last_is_filled():
    assert [len(mfcc(sound(n))) for n in (100, 400, 401, 560, 561)] == [1, 1, 2, 2, 3]
    assert mfcc(sound(16000)).shape == (99, 13)


def test_loudness_moves_the_energy_alone():
    quiet, loud = mfcc(sound(4000)), mfcc(10 * sound(4000))
    np.testing.assert_allclose(loud[:, 0] - quiet[:, 0], 2 * np.log(10), atol=1e-9)
    np.testing.assert_allclose(loud[:, 1:], quiet[:, 1:], atol=1e-9)


def test_silence_is_finite():
    assert np.isfinite(mfcc(np.zeros(2000))).all()
