"""Takes: short stretches of speech with the times of their phones. Those shipped are readings in several languages and
voices with emotional prosody (data/takes; README there); recordings of real voices are brought into the same form."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from emotag.errors import AssetMissing
from emotag.io.artifact import read_json
from emotag.io.audio import read_audio
from emotag.synthetic.visemes import Phones
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


def load(path: Path) -> list[Take]:
    """Takes of one speaker, from a JSON file with the sound beside it.

    Raises:
        AssetMissing: the sound is not there.
    """
    sounds = [path.with_suffix(suffix) for suffix in (".ogg", ".wav") if path.with_suffix(suffix).is_file()]
    if not sounds:
        raise AssetMissing(
            f"{path.with_suffix('.ogg')}: missing, expected the sound of {path.name}; check it out again"
        )
    content = read_json(path, "voice", "language", "takes")
    audio = read_audio(sounds[0])
    takes = []
    for number, entry in enumerate(content["takes"]):
        phones = [(float(start), float(end), str(phone)) for start, end, phone in entry["phones"]]
        first = round(entry["start_s"] * SAMPLE_RATE_HZ)
        heard = audio[first : first + round(phones[-1][1] * SAMPLE_RATE_HZ)]
        voice = Voice(f"{content['voice']}-{number}", heard, phones, entry["text"])
        takes.append(Take(voice, path.stem, content["language"], entry["emotion"], int(entry["level"])))
    return takes


def cut_into_takes(phones: Phones, longest_s: float) -> list[dict[str, Any]]:
    """Neutral takes of at most `longest_s` of a recording, cut in the middle of its silences; in the form of the shipped
    ones (`start_s`, and phones from there on). A stretch without a silence is cut where it becomes too long."""
    end = phones[-1][1]
    pauses = [(first + last) / 2 for first, last, name in phones if name == "SIL" and 0 < first and last < end]
    takes, start = [], 0.0
    while start < end:
        fitting = [moment for moment in [*pauses, end] if start < moment <= start + longest_s]
        stop = max(fitting, default=start + longest_s)
        inside = [
            (max(a, start) - start, min(b, stop) - start, name) for a, b, name in phones if a < stop and b > start
        ]
        if any(name != "SIL" for _, _, name in inside):
            takes.append({"start_s": start, "emotion": "neutral", "level": 0, "text": "", "phones": inside})
        start = stop
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
