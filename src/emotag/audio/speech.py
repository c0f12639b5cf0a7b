"""The speech provider: features and prosody of a recording, with the name of what made them."""

import hashlib
from pathlib import Path

import numpy as np

from emotag.artifacts import Speech
from emotag.audio import prosody, whisper
from emotag.config import SpeechConfig


def revision(model: Path, config: SpeechConfig) -> str:
    """What identifies the features: the model file's digest and the blocks taken."""
    with Path(model).open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return f"{digest}/{'+'.join(str(block) for block in config.blocks)}"


def load(model: Path, config: SpeechConfig) -> whisper.WhisperEncoder:
    """The encoder up to the last block that is taken."""
    return whisper.load(model, max(config.blocks))


def speech_of(samples: np.ndarray, encoder: whisper.WhisperEncoder, config: SpeechConfig, revision: str) -> Speech:
    """Features and prosody at 50 Hz of mono 16 kHz `samples`."""
    features = encoder.features(samples, config.blocks)
    tokens = len(features)
    spoken = prosody.prosody(samples, tokens) if config.prosody == "librosa" else prosody.silent(tokens)
    return Speech(
        features=features,
        log_f0=spoken.log_f0,
        voiced=spoken.voiced,
        energy=spoken.energy,
        provider=config.provider,
        revision=revision,
    )
