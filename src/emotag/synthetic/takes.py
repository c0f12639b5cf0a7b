"""The shipped takes: short readings in several languages and voices with emotional prosody (data/takes; README there)."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from emotag.errors import AssetMissing
from emotag.io.artifact import read_json
from emotag.io.audio import read_audio
from emotag.synthetic.voices import Voice
from emotag.types import SAMPLE_RATE_HZ

LEVELS = 3


@dataclass(frozen=True)
class Take:
    """A reading: the `voice` with its phones, who `speaker` is, the `language` (two letters), the acted `emotion` and its
    `level` 0 (neutral) to 3."""

    voice: Voice
    speaker: str
    language: str
    emotion: str
    level: int


def load(folder: Path) -> list[list[Take]]:
    """Takes of every speaker of a folder, in the order of their names.

    Raises:
        AssetMissing: the folder has no takes, or a speaker has times without sound.
    """
    files = sorted(Path(folder).glob("speaker*.json"))
    if not files:
        raise AssetMissing(
            f"{folder}: found no takes (speaker*.json with *.ogg), expected the shipped ones; check out data/takes"
        )
    return [_speaker(path) for path in files]


def _speaker(path: Path) -> list[Take]:
    sound = path.with_suffix(".ogg")
    if not sound.is_file():
        raise AssetMissing(f"{sound}: missing, expected the sound of {path.name}; check out data/takes again")
    content = read_json(path, "voice", "language", "takes")
    audio = read_audio(sound)
    takes = []
    for number, entry in enumerate(content["takes"]):
        phones = [(float(start), float(end), str(phone)) for start, end, phone in entry["phones"]]
        first = round(entry["start_s"] * SAMPLE_RATE_HZ)
        heard = audio[first : first + round(phones[-1][1] * SAMPLE_RATE_HZ)]
        voice = Voice(f"{path.stem}-{number}", heard, phones, entry["text"])
        takes.append(Take(voice, path.stem, content["language"], entry["emotion"], int(entry["level"])))
    return takes


def fitted(voice: Voice, seconds: float) -> Voice:
    """`voice` cut to `seconds`, or followed by silence up to there."""
    length = round(seconds * SAMPLE_RATE_HZ)
    audio = np.zeros(length, np.float32)
    audio[: min(length, len(voice.audio))] = voice.audio[:length]
    phones = [(start, min(end, seconds), phone) for start, end, phone in voice.phones if start < seconds]
    if phones[-1][1] < seconds:
        phones.append((phones[-1][1], seconds, "SIL"))
    return replace(voice, audio=audio, phones=phones)
