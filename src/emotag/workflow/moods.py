"""Which emotion a drive shows, where it is set, and what emotion is learnt from."""

import json
import re
from pathlib import Path
from typing import Any

from emotag.project import Config
from emotag.sections import DrivingAudio
from emotag.workflow.priors import SYNTHETIC

AUDIO = "audio-"


def audio_name(file: str) -> str:
    """A name for results that are driven by `file`: its stem, with what cannot stand in a name replaced."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file).stem).strip("-_") or "speech"


def moods(config: Config, identity: str, drive: str) -> list[dict[str, Any]]:
    """The emotions that are set for a drive: those of adapt.emotion for the audio that stands beside it."""
    heard = config.adapt.drive
    chosen = isinstance(heard, DrivingAudio) and drive == AUDIO + audio_name(heard.audio)
    ours = chosen and identity == config.adapt.identity
    return [mood.model_dump(mode="json", exclude_none=True) for mood in config.adapt.emotion] if ours else []


def timeline(config: Config, identity: str, drive: str) -> str:
    """`moods` as the settings of stage drive."""
    return json.dumps({"timeline": moods(config, identity, drive)})


def actors(config: Config) -> list[str]:
    """The corpus that emotion is learnt from, where it is asked for and synthetic talkers can speak for the settings."""
    learnt = config.pretrain.ridge and config.pretrain.emotion_iterations and config.pretrain.residual == "emotion"
    return [f"results/corpus/{SYNTHETIC}/actors.safetensors"] if learnt and not config.without_talkers() else []
