"""Features given for a recording through the speech stage."""

import numpy as np

from emotag.artifacts import Speech
from emotag.config import SpeechConfig
from emotag.io.audio import write_wav
from emotag.stages import speech


def test_given_features_get_prosody_and_a_name(tmp_path):
    t = np.arange(32000) / 16000
    write_wav(tmp_path / "audio.wav", (0.3 * np.sin(2 * np.pi * 150 * t)).astype(np.float32))
    features = np.random.default_rng(0).normal(size=(100, 29)).astype(np.float32)
    np.save(tmp_path / "clip.npy", features)
    config = SpeechConfig(provider="given", folder="data/speech/deepspeech")
    speech.run(audio=tmp_path / "audio.wav", model=tmp_path / "clip.npy", out=tmp_path / "s.safetensors", config=config)
    spoken = Speech.load(tmp_path / "s.safetensors")
    np.testing.assert_array_equal(spoken.features, features)
    assert (spoken.provider, spoken.revision) == ("given", "given/deepspeech")
    assert len(spoken.log_f0) == 100 and spoken.voiced.mean() > 0.8
