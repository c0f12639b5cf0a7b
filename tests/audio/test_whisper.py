import librosa
import numpy as np
import pytest
import torch

from emotag.audio import whisper
from emotag.errors import ConfigError


def speechlike(seconds: float, seed: int = 0) -> np.ndarray:
    """Noise and a gliding harmonic tone, with loudness that comes and goes."""
    time = np.arange(int(seconds * 16000)) / 16000
    random = np.random.default_rng(seed)
    tone = sum(np.sin(2 * np.pi * n * (120 * time + 15 * np.sin(time))) / n for n in range(1, 12))
    return ((tone + 0.1 * random.normal(size=len(time))) * (0.1 + 0.1 * np.sin(7 * time))).astype(np.float32)


def test_log_mel_agrees_with_librosa():
    samples = speechlike(1.5)
    mel = librosa.feature.melspectrogram(
        y=samples, sr=16000, n_fft=400, hop_length=160, n_mels=80, power=2.0, center=True, pad_mode="reflect"
    )
    expected = np.log10(np.maximum(mel[:, :-1], 1e-10))
    expected = (np.maximum(expected, expected.max() - 8) + 4) / 4
    np.testing.assert_allclose(whisper.log_mel(samples), expected.T, atol=2e-4)


def test_louder_sound_only_shifts_the_mel():
    samples = speechlike(0.5)
    np.testing.assert_allclose(whisper.log_mel(10 * samples), whisper.log_mel(samples) + 2 / 4, atol=1e-4)


def test_attention_is_torchs_own():
    torch.manual_seed(0)
    block = whisper.Block(24, 4)
    theirs = torch.nn.MultiheadAttention(24, 4, batch_first=True)
    theirs.in_proj_weight, theirs.in_proj_bias = block.qkv.weight, block.qkv.bias
    theirs.out_proj = block.out
    x = torch.randn(2, 9, 24)
    torch.testing.assert_close(block.attention(x), theirs(x, x, x, need_weights=False)[0])


def random_encoder(blocks: int = 2) -> whisper.WhisperEncoder:
    torch.manual_seed(1)
    return whisper.WhisperEncoder(16, 2, blocks, 400).eval()


def test_pulse_lands_on_its_token():
    # A token's stem sees 3 + 2 mel frames; the stem of a pulse at 1.0 s must differ from silence around token 50 alone.
    samples = np.zeros(2 * 16000, np.float32)
    samples[16000] = 0.5
    # Without the dynamic range, which depends on the loudest bin of the recording.
    quiet, loud = (random_encoder().features(s, (0,)) for s in (np.zeros_like(samples), samples))
    quiet_level = quiet - quiet.mean(0)
    changed = np.abs((loud - loud[[10]]) - (quiet_level - quiet_level[[10]])).max(1) > 1e-3
    found = np.flatnonzero(changed)
    assert 49 <= found.min() and found.max() <= 51


def test_features_of_a_long_recording_do_not_depend_on_what_is_far_away():
    encoder = random_encoder()
    samples = speechlike(14)
    whole, cut = encoder.features(samples, (1, 2)), encoder.features(samples[: 10 * 16000], (1, 2))
    assert whole.shape == (700, 32) and cut.shape == (500, 32)
    np.testing.assert_allclose(whole[:300], cut[:300], atol=1e-4)


def test_unknown_blocks_are_named():
    with pytest.raises(ConfigError, match="choose from 0"):
        random_encoder().features(speechlike(0.2), (3,))


def test_model_file(whisper_model):
    encoder = whisper.load(whisper_model, 3)
    assert len(encoder.blocks) == 3 and encoder.positions.shape == (1500, 384)
    features = encoder.features(speechlike(7.1), (2, 3))
    assert features.shape == (355, 768) and np.isfinite(features).all() and 0.1 < features.std() < 5


def test_a_long_recording_in_chunks_is_the_whole(monkeypatch):
    """Frames are those of one transform over everything; tokens see 6 s around them and nothing else (stated above)."""
    samples = speechlike(5)
    whole = whisper.log_mel(samples, 128)
    monkeypatch.setattr(whisper, "CHUNK_FRAMES", 37)
    assert whole.shape == (500, 128)
    np.testing.assert_allclose(whisper.log_mel(samples, 128), whole, atol=1e-5)
