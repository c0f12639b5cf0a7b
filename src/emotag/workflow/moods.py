"""Which emotion a drive shows, where it is set or heard, and what emotion is learnt from."""

import json
import re
from pathlib import Path
from typing import Any

from emotag.project import Config
from emotag.sections import DrivingAudio
from emotag.workflow.priors import SYNTHETIC

AUDIO = "audio-"
# Stands behind the name of a driving audio, for the calm recording of its voice.
CALM = "-calm"


def audio_name(file: str) -> str:
    """A name for results that are driven by `file`: its stem, with what cannot stand in a name replaced."""
    return re.sub(r"[^A-Za-z0-9_-]+", "-", Path(file).stem).strip("-_") or "speech"


def spoken_files(config: Config) -> dict[str, str]:
    """{name: file} of the audio that adapt is driven by, and of the calm recording of its voice."""
    drive = config.adapt.drive
    if not isinstance(drive, DrivingAudio):
        return {}
    name = audio_name(drive.audio)
    return {name: drive.audio} | ({name + CALM: drive.calm} if drive.calm else {})


def moods(config: Config, identity: str, drive: str) -> list[dict[str, Any]]:
    """The emotions that are set for a drive: those of adapt.emotion for the audio that stands beside it."""
    ours = _ours(config, identity, drive)
    return [mood.model_dump(mode="json", exclude_none=True) for mood in config.adapt.emotion] if ours else []


def calm_file(config: Config, identity: str, drive: str) -> str | None:
    """The calm recording against which a drive's emotion is heard, if any."""
    spoken = config.adapt.drive
    return spoken.calm if isinstance(spoken, DrivingAudio) and _ours(config, identity, drive) else None


def shown(config: Config, identity: str, drive: str) -> dict[str, Any]:
    """What the sidecar says of a drive's emotion: that which is set, or how it is heard where another voice speaks."""
    if chosen := moods(config, identity, drive):
        return {"emotion": chosen}
    calm = calm_file(config, identity, drive)
    heard = f"heard, against {Path(calm).name}" if calm else "not heard: no calm recording of the voice is named"
    return {"emotion": heard} if drive.startswith(AUDIO) else {}


def _ours(config: Config, identity: str, drive: str) -> bool:
    """Whether a drive is the one of adapt, by audio."""
    spoken = config.adapt.drive
    chosen = isinstance(spoken, DrivingAudio) and drive == AUDIO + audio_name(spoken.audio)
    return chosen and identity == config.adapt.identity


def timeline(config: Config, identity: str, drive: str) -> str:
    """`moods` as the settings of stage drive."""
    return json.dumps({"timeline": moods(config, identity, drive)})


def actors(config: Config) -> list[str]:
    """The corpus that emotion is learnt from, where it is asked for and synthetic talkers can speak for the settings."""
    learnt = config.pretrain.ridge and config.pretrain.emotion_iterations and config.pretrain.residual == "emotion"
    return [f"results/corpus/{SYNTHETIC}/actors.safetensors"] if learnt and not config.without_talkers() else []
