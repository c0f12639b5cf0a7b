"""Which language is spoken: Whisper's own answer, from multilingual weights through the optional package `transformers`.

Source: Radford et al., "Robust speech recognition via large-scale weak supervision", 2022, section 2.3: the first token the
decoder gives is the language. The English-only weights that ship with the default speech provider cannot tell.
"""

from pathlib import Path

import numpy as np
import torch

from emotag.errors import ArtifactMismatch, ConfigError
from emotag.types import SAMPLE_RATE_HZ

WINDOW_S = 30


@torch.no_grad()
def languages(samples: np.ndarray, folder: Path) -> dict[str, float]:
    """Probability of each language (two or three letters) in the first 30 s of mono 16 kHz `samples`.

    Args: `folder` as the hub's download writes it, e.g. of openai/whisper-base.

    Raises:
        ConfigError: `transformers` is not installed.
        ArtifactMismatch: the folder cannot be loaded, or its model knows one language only.
    """
    try:
        from transformers import WhisperFeatureExtractor, WhisperForConditionalGeneration
    except ImportError as error:
        raise ConfigError(
            f"curation.language_model needs the package transformers ({error}); "
            "install it: .venv/bin/python -m pip install --no-deps -r envs/transformers.txt"
        ) from error
    try:
        model = WhisperForConditionalGeneration.from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError, RuntimeError) as error:
        raise ArtifactMismatch(
            f"{folder}: cannot be loaded ({' '.join(str(error).split())}); download it again"
        ) from error
    tokens = getattr(model.generation_config, "lang_to_id", None)
    if not tokens:
        raise ArtifactMismatch(f"{folder}: knows no languages (English-only weights?), expected a multilingual Whisper")
    extractor = WhisperFeatureExtractor(feature_size=model.config.num_mel_bins)
    heard = np.asarray(samples[: WINDOW_S * SAMPLE_RATE_HZ], np.float32)
    mel = extractor(heard, sampling_rate=SAMPLE_RATE_HZ, return_tensors="pt").input_features
    start = torch.tensor([[model.config.decoder_start_token_id]])
    scores = model(mel, decoder_input_ids=start).logits[0, 0, list(tokens.values())].softmax(0)
    return {name.strip("<|>"): float(share) for name, share in zip(tokens, scores, strict=True)}
