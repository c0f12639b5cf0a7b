"""The shipped synthetic voices: sound, text and phone times (data/voices; see the README there)."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emotag.errors import AssetMissing
from emotag.io.artifact import read_json
from emotag.io.audio import read_audio
from emotag.types import SAMPLE_RATE_HZ

DEMO = "demo"


@dataclass(frozen=True)
class Voice:
    """`audio` [samples] 16 kHz mono; `phones` (start s, end s, ARPAbet symbol), `SIL` for silence."""

    name: str
    audio: np.ndarray
    phones: list[tuple[float, float, str]]
    text: str


def load(folder: Path) -> list[Voice]:
    """All voices of a folder in the order of their names.

    Raises:
        AssetMissing: the folder has no voice, or a voice has sound without times.
    """
    sounds = sorted(Path(folder).glob("*.ogg"))
    if not sounds:
        raise AssetMissing(
            f"{folder}: found no voice (*.ogg with *.json), expected the shipped ones; check out data/voices"
        )
    return [_voice(sound) for sound in sounds]


def _voice(sound: Path) -> Voice:
    times = sound.with_suffix(".json")
    if not times.is_file():
        raise AssetMissing(f"{times}: missing, expected the phone times of {sound.name}; check out data/voices again")
    content = read_json(times, "phones", "text")
    phones = [(float(start), float(end), str(phone)) for start, end, phone in content["phones"]]
    return Voice(sound.stem, read_audio(sound), phones, content["text"])


def cut_at_pause(voice: Voice, seconds: float) -> Voice:
    """The beginning of `voice` up to the middle of its last pause before `seconds` (all of it if it is shorter)."""
    if voice.phones[-1][1] <= seconds:
        return voice
    pauses = [(start + end) / 2 for start, end, phone in voice.phones if phone == "SIL" and end - start > 0.1]
    stop = max((moment for moment in pauses if moment <= seconds), default=seconds)
    phones = [(start, min(end, stop), phone) for start, end, phone in voice.phones if start < stop]
    return replace(voice, audio=voice.audio[: round(stop * SAMPLE_RATE_HZ)], phones=phones)
