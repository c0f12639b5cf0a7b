"""Encoders of the Wav2Vec 2.0 family: small random ones in folders as the hub's download writes them."""

import json

import numpy as np
import pytest
import torch

from emotag.artifacts import Speech
from emotag.audio import hub
from emotag.config import SpeechConfig
from emotag.errors import ArtifactMismatch, AssetMissing, ConfigError
from emotag.io.audio import write_wav
from emotag.stages import speech

transformers = pytest.importorskip("transformers", reason="optional: pip install --no-deps -r envs/transformers.txt")

SMALL = {
    "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 32, "conv_dim": (16,) * 7,
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "vocab_size": 32,
}  # fmt: skip
# As the published configurations differ: normalisation over time in the first convolution, or over channels in each.
LAYERS = {"feat_extract_norm": "layer", "do_stable_layer_norm": True, "conv_bias": True}
KINDS = {
    "wav2vec2": ("Wav2Vec2", {"feat_extract_norm": "group"}, True),
    "hubert": ("Hubert", LAYERS, True),
    "wavlm": ("WavLM", {"feat_extract_norm": "group"}, False),
    "xls-r": ("Wav2Vec2", LAYERS, True),
}


def write(folder, provider, safe=True, with_head=False):
    """A model folder; base-960h and hubert-large-ls960-ft hold a head for recognition, too."""
    name, settings, normalised = KINDS[provider]
    torch.manual_seed(0)
    folder.mkdir(exist_ok=True)
    config = getattr(transformers, f"{name}Config")(**SMALL, **settings)
    model = getattr(transformers, f"{name}{'ForCTC' if with_head else 'Model'}")(config).eval()
    model.save_pretrained(folder, safe_serialization=safe)
    (folder / "preprocessor_config.json").write_text(json.dumps({"do_normalize": normalised, "sampling_rate": 16000}))
    return getattr(model, config.model_type) if with_head else model


def sound(seconds: float) -> np.ndarray:
    t = np.arange(int(16000 * seconds)) / 16000
    wave = np.sin(2 * np.pi * (200 + 300 * t) * t) * (0.2 + 0.8 * np.sin(3 * t) ** 2)
    return (0.3 * wave + 0.05 * np.random.default_rng(0).normal(size=len(t)) + 0.1).astype(np.float32)


def by_transformers(model, samples, normalised):
    """Their own feature extractor and their own forward pass over the whole recording."""
    extractor = transformers.Wav2Vec2FeatureExtractor(do_normalize=normalised)
    values = extractor(samples, sampling_rate=16000, return_tensors="pt").input_values
    with torch.no_grad():
        return model(values, output_hidden_states=True)


@pytest.mark.parametrize("provider", KINDS)
def test_chunks_equal_the_whole(tmp_path, provider):
    model, samples = write(tmp_path, provider), sound(3.1)
    whole = by_transformers(model, samples, KINDS[provider][2])
    features = hub.load(tmp_path, provider, None, chunk_tokens=37).features(samples)
    assert features.shape == ((len(samples) - 400) // 320 + 1, 24) and features.dtype == np.float32
    np.testing.assert_allclose(features, whole.last_hidden_state[0].numpy(), atol=1e-4)
    middle = hub.load(tmp_path, provider, 2).features(samples)
    np.testing.assert_allclose(middle, whole.hidden_states[2][0].numpy(), atol=1e-4)


@pytest.mark.parametrize("pairs", [1, 700, 10**6])
def test_wavlm_with_few_queries_at_a_time_equals_the_whole(tmp_path, pairs):
    """Longer than the 800 tokens beyond which all distances have one bias."""
    model, samples = write(tmp_path, "wavlm"), sound(17.0 if pairs > 1 else 0.3)
    for block in model.encoder.layers:  # their start of 1 would hide a wrong gate
        torch.nn.init.normal_(block.attention.gru_rel_pos_const)
    model.save_pretrained(tmp_path)
    encoder = hub.load(tmp_path, "wavlm", None)
    for block in encoder.model.encoder.layers:
        block.attention.pairs = pairs
    whole = by_transformers(model, samples, False).last_hidden_state[0].numpy()
    np.testing.assert_allclose(encoder.features(samples), whole, atol=1e-4)


@pytest.mark.parametrize("safe", [True, False])
def test_files_with_a_recognition_head_are_read(tmp_path, safe):
    model, samples = write(tmp_path, "wav2vec2", safe, with_head=True), sound(1.0)
    assert (tmp_path / ("model.safetensors" if safe else "pytorch_model.bin")).is_file()
    features = hub.load(tmp_path, "wav2vec2", None).features(samples)
    np.testing.assert_allclose(features, by_transformers(model, samples, True).last_hidden_state[0].numpy(), atol=1e-4)


def test_revision_tells_weights_and_layer(tmp_path):
    write(tmp_path, "wav2vec2")
    first = hub.revision(tmp_path, None)
    assert first.endswith("/last") and hub.revision(tmp_path, 2) == first.replace("last", "2")
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes() + b" ")
    assert hub.revision(tmp_path, None) != first


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(AssetMissing, match="neither model.safetensors nor pytorch_model.bin"):
        hub.load(tmp_path, "wav2vec2", None)
    write(tmp_path, "wav2vec2")
    with pytest.raises(ArtifactMismatch, match="model_type wav2vec2, expected hubert"):
        hub.load(tmp_path, "hubert", None)
    with pytest.raises(ConfigError, match="to 3"):
        hub.load(tmp_path, "wav2vec2", 4)
    (tmp_path / "preprocessor_config.json").unlink()
    with pytest.raises(AssetMissing, match="preprocessor_config.json"):
        hub.load(tmp_path, "wav2vec2", None)


def test_missing_tensors_are_not_replaced_by_random_ones(tmp_path):
    from safetensors.torch import load_file, save_file

    write(tmp_path, "wav2vec2")
    tensors = load_file(tmp_path / "model.safetensors")
    name = "encoder.layers.1.attention.k_proj.weight"
    save_file(
        {key: value for key, value in tensors.items() if key != name}, tmp_path / "model.safetensors", {"format": "pt"}
    )
    with pytest.raises(ArtifactMismatch, match=name):
        hub.load(tmp_path, "wav2vec2", None)


def test_a_recording_shorter_than_a_token_has_none(tmp_path):
    write(tmp_path, "wav2vec2")
    assert hub.load(tmp_path, "wav2vec2", None).features(np.zeros(399, np.float32)).shape == (0, 24)


def test_through_the_stage(tmp_path):
    write(tmp_path / "model", "wav2vec2")
    write_wav(tmp_path / "audio.wav", sound(1.0))
    out = tmp_path / "speech.safetensors"
    speech.run(
        audio=tmp_path / "audio.wav", model=tmp_path / "model", out=out, config=SpeechConfig(provider="wav2vec2")
    )
    spoken = Speech.load(out)
    assert spoken.features.shape == (49, 24) and len(spoken.log_f0) == len(spoken.energy) == 49
    assert spoken.provider == "wav2vec2" and spoken.revision == hub.revision(tmp_path / "model", None)
