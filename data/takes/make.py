"""Made the takes beside it: short emotional readings by espeak-ng, with the time of every phone.

    PYTHONPATH=src python data/takes/make.py --out data/takes --moods data/moods

Only this tool opens espeak-ng (GPL-3, an optional program; its library, because the program prints no times), and only
to make the takes anew: nothing of the package needs it. Emotion is prosody alone: rate, pitch, pitch range and level,
after the usual findings for acted speech (Juslin and Laukka 2003, table 7), growing with the level 1 to 3.
Events: espeak-ng/speak_lib.h (phoneme events in IPA).
"""

import argparse
import ctypes
import ctypes.util
import json
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import resample_poly

from emotag.synthetic.ipa import phones_of as phones_of_ipa

SAMPLE_RATE_HZ = 16_000
LONGEST_S, LEAD_S, SHORTEST_S = 6.6, 0.25, 0.012
LEVEL_RMS = 0.06
# voice, words a minute, pitch, and the two emotions that it speaks at three levels beside two neutral takes.
SPEAKERS = (
    ("en-us+m3", 165, 40, "happy", "angry"), ("en-gb-x-rp+f2", 160, 55, "sad", "surprise"),
    ("de+m7", 165, 38, "fear", "disgust"), ("fr+f4", 165, 55, "happy", "sad"),
    ("es+m1", 160, 42, "angry", "surprise"), ("it+f1", 160, 58, "fear", "happy"),
    ("pt-br+m2", 160, 36, "disgust", "sad"), ("en-gb-scotland+f3", 160, 52, "angry", "fear"),
    ("nl+m4", 165, 40, "surprise", "disgust"), ("pl+f5", 160, 50, "happy", "angry"),
    ("en-us+f1", 165, 60, "disgust", "surprise"), ("de+f2", 165, 55, "sad", "fear"),
)  # fmt: skip
# Who says one and the same thing in every mood at every level (data/moods), and how many sentences of it.
MOODS = (
    ("en-us+m2", 165, 45, 2), ("en-gb-x-rp+f1", 160, 55, 1), ("de+m3", 165, 40, 1), ("fr+f2", 165, 58, 1),
    ("en-gb-scotland+m5", 160, 42, 1), ("es+f3", 160, 56, 1), ("it+m6", 160, 40, 1),
)  # fmt: skip
# At level 3: factor on the rate, added pitch, factor on the pitch range, level in dB.
PROSODY = {
    "neutral": (1.0, 0, 1.0, 0.0), "happy": (1.10, 12, 1.7, 3.0), "angry": (1.15, 8, 1.6, 6.0),
    "sad": (0.80, -10, 0.4, -5.0), "surprise": (1.08, 20, 1.9, 3.0), "fear": (1.20, 18, 0.7, 0.0),
    "disgust": (0.88, -6, 0.8, 1.0),
}  # fmt: skip
PITCH_RANGE = 50

SILENCE = "_ |"


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int), ("unique_identifier", ctypes.c_uint), ("text_position", ctypes.c_int),
        ("length", ctypes.c_int), ("audio_position_ms", ctypes.c_int), ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p), ("id", _Id),
    ]  # fmt: skip


_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))


class Engine:
    """espeak-ng's library, opened once: synchronous, with phoneme events in IPA."""

    def __init__(self) -> None:
        found = ctypes.util.find_library("espeak-ng")
        if found is None:
            raise SystemExit("libespeak-ng is not installed; only making data/takes anew needs it")
        self.library = ctypes.CDLL(found)
        self.rate_hz = self.library.espeak_Initialize(2, 0, None, 3)

    def has(self, voice: str) -> bool:
        """Whether there is such a voice (language+timbre)."""
        return self.library.espeak_SetVoiceByName(voice.encode()) == 0

    def speak(self, voice: str, words_per_minute: int, pitch: int, pitch_range: int, text: str):
        """Samples -1 to 1 at the engine's rate, and (start s, IPA) of every phone."""
        pieces, events = [], []

        def receive(samples, count, event):
            if count > 0:
                pieces.append(np.ctypeslib.as_array(samples, (count,)).astype(np.float32) / 32768)
            index = 0
            while event[index].type != 0:
                if event[index].type == 7:
                    name = bytes(event[index].id.string).split(b"\0")[0].decode(errors="ignore")
                    events.append((event[index].sample / self.rate_hz, name))
                index += 1
            return 0

        callback = _CALLBACK(receive)
        self.library.espeak_SetSynthCallback(callback)
        if not self.has(voice):
            raise SystemExit(f"espeak-ng has no voice {voice!r}")
        for parameter, value in ((1, words_per_minute), (3, pitch), (4, pitch_range)):
            self.library.espeak_SetParameter(parameter, value, 0)
        raw = text.encode()
        self.library.espeak_Synth(raw, len(raw) + 1, 0, 1, 0, 1, None, None)
        self.library.espeak_Synchronize()
        return np.concatenate(pieces), events


def phones_of(events, end_s: float) -> list[tuple[float, float, str]]:
    """Phones without gaps from 0 to `end_s`; a name of several sounds is shared out, silences and shreds are merged."""
    spread = []
    starts = [start for start, _ in events] + [end_s]
    for (start, ipa), stop in zip(events, starts[1:], strict=True):
        names = phones_of_ipa(ipa) or (["SIL"] if not ipa or ipa[0] in SILENCE else [])
        for place, name in enumerate(names):
            share = (stop - start) / len(names)
            spread.append((start + place * share, name))
    phones: list[list] = [[0.0, 0.0, "SIL"]]
    for start, name in spread:
        phones[-1][1] = start
        if name != phones[-1][2]:
            phones.append([start, start, name])
    phones[-1][1] = end_s
    kept: list[list] = []
    for start, end, name in phones:
        if end - start >= SHORTEST_S or not kept:
            kept.append([kept[-1][1] if kept else 0.0, end, name])
        else:
            kept[-1][1] = end
    return [(round(start, 3), round(end, 3), name) for start, end, name in kept]


def prosody(emotion: str, level: int) -> tuple[float, int, float, float]:
    """Rate factor, added pitch, range factor and dB of an emotion at a level 0 to 3."""
    rate, pitch, span, decibel = PROSODY[emotion]
    share = level / 3
    return rate**share, round(pitch * share), span**share, decibel * share


def take(engine: Engine, speaker: tuple, emotion: str, level: int, texts: list[str]):
    """One reading: as many sentences as fit, with a lead of silence."""
    voice, rate, pitch, *_ = speaker
    faster, higher, wider, louder = prosody(emotion, level)
    pitch, span = int(np.clip(pitch + higher, 0, 99)), int(np.clip(PITCH_RANGE * wider, 0, 99))
    said, best = [], None
    for text in texts:
        said.append(text)
        samples, events = engine.speak(voice, round(rate * faster), pitch, span, " ".join(said))
        if best is not None and len(samples) / engine.rate_hz > LONGEST_S - LEAD_S:
            break
        best = samples, events, " ".join(said)
    samples, events, text = best
    audio = resample_poly(samples, SAMPLE_RATE_HZ, engine.rate_hz)
    audio *= LEVEL_RMS * 10 ** (louder / 20) / np.sqrt(np.mean(audio**2))
    audio = np.concatenate([np.zeros(round(LEAD_S * SAMPLE_RATE_HZ)), np.clip(audio, -0.98, 0.98)])
    audio = audio[: round(LONGEST_S * SAMPLE_RATE_HZ)]
    end = len(audio) / SAMPLE_RATE_HZ
    phones = phones_of([(start + LEAD_S, name) for start, name in events if start + LEAD_S < end], end)
    facts = {"emotion": emotion, "level": level, "text": text, "phones": phones}
    return audio.astype(np.float32), facts


def write(out: Path, name: str, speaker: tuple, parts: list[tuple[np.ndarray, dict]]) -> None:
    """`<name>.ogg` (all takes one after the other) and `<name>.json`."""
    takes, clock = [], 0.0
    for audio, facts in parts:
        takes.append({"start_s": round(clock, 4)} | facts)
        clock += len(audio) / SAMPLE_RATE_HZ
    sound = np.concatenate([audio for audio, _ in parts])
    soundfile.write(out / f"{name}.ogg", sound, SAMPLE_RATE_HZ, format="OGG", subtype="OPUS", compression_level=0.96)
    content = {"voice": speaker[0], "language": speaker[0].split("+")[0].split("-")[0], "takes": takes}
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    (out / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    print(f"{name} {speaker[0]}: {len(takes)} takes, {clock:.1f} s")


def main() -> None:
    """Make the takes of every speaker, and those of one text in every mood."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--moods", type=Path)
    asked = parser.parse_args()
    sentences = json.loads(Path(__file__).with_name("sentences.json").read_text(encoding="utf-8"))
    engine = Engine()
    for number, speaker in enumerate(SPEAKERS if asked.out else ()):
        language = speaker[0].split("+")[0]
        pool = sentences.get(language) or sentences[language.split("-")[0]]
        moods = [("neutral", 0), *((speaker[3], k) for k in (1, 2, 3)), *((speaker[4], k) for k in (1, 2, 3))]
        parts = []
        for index, (emotion, level) in enumerate([*moods, ("neutral", 0)]):
            shift = (3 * index + number) % len(pool)
            parts.append(take(engine, speaker, emotion, level, pool[shift:] + pool[:shift]))
        write(asked.out, f"speaker{number + 1:02d}", speaker, parts)
    for number, speaker in enumerate(MOODS if asked.moods else ()):
        pool = sentences[speaker[0].split("+")[0].split("-")[0]]
        text = [" ".join((pool[2 + number :] + pool)[: speaker[3]])]
        moods = [
            ("neutral", 0),
            *((emotion, level) for emotion in PROSODY if emotion != "neutral" for level in (1, 2, 3)),
        ]
        parts = [take(engine, speaker, emotion, level, text) for emotion, level in moods]
        write(asked.moods, f"mood{number + 1:02d}", speaker, parts)


if __name__ == "__main__":
    main()
