"""The speech provider: features and prosody of a recording, with the name of what made them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from emotag.artifacts import Speech
from emotag.audio import given, hub, prosody, whisper
from emotag.config import SpeechConfig
from emotag.io.assets import sha256_of
from emotag.io.stamps import weights_file


class Encoder(Protocol):
    """What turns a recording into features."""

    def features(self, samples: np.ndarray, name: str) -> np.ndarray:
        """[K, D] float32 at 50 Hz of mono 16 kHz `samples` of the recording `name`."""
        ...


@dataclass(frozen=True)
class WhisperBlocks:
    """Hidden states of some blocks of Whisper's encoder."""

    encoder: whisper.WhisperEncoder
    blocks: tuple[int, ...]

    def features(self, samples: np.ndarray, name: str = "") -> np.ndarray:
        """[K, D] float32 at 50 Hz; the recording's `name` is not needed."""
        return self.encoder.features(samples, self.blocks)


def revision(model: Path, config: SpeechConfig) -> str:
    """What identifies the features: the model file's digest and the blocks or layer taken, or the name of their folder."""
    match config.provider:
        case "whisper":
            file = weights_file(model) if Path(model).is_dir() else Path(model)
            return f"{sha256_of(file)[:16]}/{'+'.join(str(block) for block in config.blocks)}"
        case "given":
            return f"given/{Path(config.folder).name}"
        case _:
            return hub.revision(model, config.layer)


def load(model: Path, config: SpeechConfig) -> Encoder:
    """The encoder of the provider, up to the last block that is taken."""
    match config.provider:
        case "whisper":
            return WhisperBlocks(whisper.load(model, max(config.blocks)), config.blocks)
        case "given":
            return given.GivenFeatures(model)
        case _:
            return hub.load(model, config.provider, config.layer)


def speech_of(samples: np.ndarray, encoder: Encoder, config: SpeechConfig, revision: str, name: str = "") -> Speech:
    """Features and prosody at 50 Hz of mono 16 kHz `samples` of the recording `name`."""
    features = encoder.features(samples, name)
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
