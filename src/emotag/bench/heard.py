"""The table of emotion that is heard: shipped readings in, heard.json out (`emotag.motion.heard`), and how well it does on
voices that it was not fitted to."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emotag.audio.prosody import prosody
from emotag.io.audio import read_audio
from emotag.motion import heard
from emotag.motion.heard import ACTED, Calm, Listener, measures
from emotag.synthetic import takes, voices
from emotag.types import EMOTIONS, NEUTRAL, SAMPLE_RATE_HZ, TOKEN_RATE_HZ

log = logging.getLogger(__name__)

# The voice of the table of emotions (docs/results) stays unheard; every fifth frame is looked at; calm voices give so much of
# their beginning for reference.
LEFT_OUT, EVERY, CALM_S = "mood01", 5, 5.0
# A reading counts as emotional from half of level 1 on.
SHOWN = 1 / 6
FLOOR = 0.01


@dataclass(frozen=True)
class Reading:
    """A reading of `speaker` in `language`: `shifts` [T, 5] from a calm reading of the same voice, which scatters by `variance`
    [5], and the seconds of voice [T] in its windows."""

    speaker: str
    language: str
    emotion: str
    level: int
    shifts: np.ndarray
    variance: np.ndarray
    voice_s: np.ndarray

    @property
    def intensities(self) -> np.ndarray:
        """[6] as acted."""
        return np.array([self.level / takes.LEVELS * (name == self.emotion) for name in ACTED])

    def heard_by(self, listener: Listener) -> np.ndarray:
        """[6] mean strengths, moments by how much voice they have."""
        found = listener.expected(self.shifts, self.variance)
        return (found * self.voice_s[:, None]).sum(0) / self.voice_s.sum()


def prosody_of(audio: np.ndarray) -> np.ndarray:
    """[K, 3] of mono 16 kHz `audio`, as `Speech` holds it."""
    found = prosody(audio, len(audio) * TOKEN_RATE_HZ // SAMPLE_RATE_HZ)
    return np.stack([found.log_f0, found.voiced, found.energy], 1)


def readings(path: Path) -> list[Reading]:
    """A speaker's readings against the first other neutral one (a single neutral one gives no reading)."""
    acted = takes.load(path)
    spoken = [prosody_of(take.voice.audio) for take in acted]
    neutral = [number for number, take in enumerate(acted) if take.emotion == EMOTIONS[NEUTRAL]]
    found = []
    for number, take in enumerate(acted):
        others = [other for other in neutral if other != number]
        if others:
            calm = Calm.of(spoken[others[0]])
            values, voice_s = measures(spoken[number])
            about = (take.speaker, take.language, take.emotion, take.level)
            found.append(Reading(*about, values - calm.mean, calm.variance, voice_s))
    return found


def fitted(material: Iterable[Reading]) -> Listener:
    """The listener of some readings."""
    few = slice(None, None, EVERY)
    columns = zip(*((r.shifts[few], r.intensities, r.voice_s[few]) for r in material), strict=True)
    return heard.fit(*columns)


def judged(material: Sequence[Reading], held_out: str) -> list[tuple[Reading, np.ndarray]]:
    """Each reading with what is heard [6] by a listener that was fitted without its `held_out`: speaker or language."""
    found = []
    for name in sorted({getattr(reading, held_out) for reading in material}):
        listener = fitted(reading for reading in material if getattr(reading, held_out) != name)
        own = (reading for reading in material if getattr(reading, held_out) == name)
        found += [(reading, reading.heard_by(listener)) for reading in own]
    return found


def summary(found: Sequence[tuple[Reading, np.ndarray]]) -> dict[str, float]:
    """Over readings: `right` share of classes (neutral: below half of level 1), `kl` nats of the acted intensities (the rest is
    neutral's) from what is heard, and of their mean (`kl_constant`), correlation of intensity and of the class's own with what
    is heard."""
    acted, strengths = np.stack([r.intensities for r, _ in found]), np.stack([s for _, s in found])
    own = (acted > 0).any(1)
    right = [named(s) == r.emotion for r, s in found]
    constant = np.broadcast_to(acted.mean(0), acted.shape)
    of_class = np.where(own, np.where(acted > 0, strengths, 0).sum(1), 0.0)
    return {
        "readings": len(found),
        "right": float(np.mean(right)),
        "kl": divergence(acted, strengths),
        "kl_constant": divergence(acted, constant),
        "intensity": float(np.corrcoef(acted.sum(1), strengths.sum(1))[0, 1]),
        "intensity_of_class": float(np.corrcoef(acted.sum(1), of_class)[0, 1]),
    }


def named(strengths: np.ndarray) -> str:
    """The class that is heard [6], if any is."""
    return ACTED[int(strengths.argmax())] if strengths.sum() > SHOWN else EMOTIONS[NEUTRAL]


def divergence(acted: np.ndarray, found: np.ndarray) -> float:
    """Mean KL in nats of intensities [N, 6] with neutral's rest; nothing is less likely than one in a hundred."""
    p, q = (np.concatenate([each, 1 - each.sum(1, keepdims=True)], 1) for each in (acted, found))
    q = np.maximum(q, FLOOR) / np.maximum(q, FLOOR).sum(1, keepdims=True)
    ratio = np.where(p > 0, p, 1.0) / q
    return float((p * np.log(ratio)).sum(1).mean())


def table(found: Sequence[tuple[Reading, np.ndarray]]) -> list[str]:
    """A line a class and level: readings, share right, strength of the class and of all, what it was taken for."""
    lines = [f"{'class':9s} level readings right  own  all  heard"]
    for emotion in (EMOTIONS[NEUTRAL], *ACTED):
        for level in range(takes.LEVELS + 1):
            rows = [(r, s) for r, s in found if (r.emotion, r.level) == (emotion, level)]
            if rows:
                names = [named(s) for _, s in rows]
                own = np.mean([s[ACTED.index(emotion)] if emotion in ACTED else 0.0 for _, s in rows])
                counts = ", ".join(f"{name} {names.count(name)}" for name in dict.fromkeys(sorted(names)))
                lines.append(
                    f"{emotion:9s} {level:5d} {len(rows):8d} {names.count(emotion) / len(rows):5.2f} {own:4.2f} "
                    f"{np.mean([s.sum() for _, s in rows]):4.2f}  {counts}"
                )
    return lines


def false_alarms(folder: Path, listener: Listener) -> list[str]:
    """Mean and highest strength of all classes in the shipped calm voices, against their first seconds."""
    rows = []
    for voice in voices.load(folder):
        spoken = prosody_of(voice.audio)
        found = listener.strengths(spoken, Calm.of(spoken[: round(CALM_S * TOKEN_RATE_HZ)])).sum(1)
        rows.append((found.mean(), found.max()))
    mean, highest = np.array(rows).T
    worst = f"{mean.max():.3f} in the worst, at most {highest.max():.2f}"
    return [f"{len(rows)} calm voices: strength {mean.mean():.3f} on average, {worst}"]


def of_files(files: Sequence[Path], calm: Path | None, listener: Listener) -> list[str]:
    """Mean strengths of recordings, against `calm` or, without it, against themselves."""
    lines = []
    reference = Calm.of(prosody_of(read_audio(calm))) if calm else None
    for file in files:
        spoken = prosody_of(read_audio(file))
        course = listener.strengths(spoken, reference or Calm.of(spoken))
        means = ", ".join(f"{name} {course[:, EMOTIONS.index(name)].mean():.2f}" for name in ACTED)
        lines.append(f"{file.stem} ({len(spoken) / TOKEN_RATE_HZ:.1f} s): {means}; at most {course.sum(1).max():.2f}")
    return lines


def run(data: Path) -> tuple[Listener, list[str]]:
    """The listener of all shipped readings but those of the table's voice, and what was found of it, as lines."""
    paths = [path for pattern in ("takes/speaker*.json", "moods/mood*.json") for path in sorted(data.glob(pattern))]
    material = []
    for path in paths:
        material += readings(path)
        log.info("%s", path.stem)
    lines = []
    for held_out in ("speaker", "language"):
        found = judged(material, held_out)
        lines += [
            f"left out, one {held_out} at a time: {summary(found)}",
            *(table(found) if held_out == "speaker" else []),
        ]
    listener = fitted(reading for reading in material if reading.speaker != LEFT_OUT)
    return listener, [*lines, *false_alarms(data / "voices", listener)]
