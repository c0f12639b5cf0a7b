"""The language token of a small random multilingual Whisper, in a folder as the hub's download writes it."""

import json

import numpy as np
import pytest

from emotag.audio.language import languages
from emotag.errors import ArtifactMismatch

transformers = pytest.importorskip("transformers", reason="optional: pip install --no-deps -r envs/transformers.txt")


def write(folder, lang_to_id):
    config = transformers.WhisperConfig(
        vocab_size=40, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2,
        encoder_ffn_dim=16, decoder_ffn_dim=16, num_mel_bins=80, decoder_start_token_id=30, pad_token_id=0,
        bos_token_id=0, eos_token_id=0, suppress_tokens=None, begin_suppress_tokens=None,
    )  # fmt: skip
    model = transformers.WhisperForConditionalGeneration(config)
    model.save_pretrained(folder)
    if lang_to_id:
        (folder / "generation_config.json").write_text(json.dumps({"lang_to_id": lang_to_id}))
    return folder


def test_shares_of_the_languages(tmp_path):
    found = languages(np.random.default_rng(0).normal(size=16_000), write(tmp_path, {"<|en|>": 31, "<|yue|>": 32}))
    assert set(found) == {"en", "yue"} and sum(found.values()) == pytest.approx(1)


def test_english_only_weights_cannot_tell(tmp_path):
    with pytest.raises(ArtifactMismatch, match="multilingual"):
        languages(np.zeros(16_000), write(tmp_path, None))
