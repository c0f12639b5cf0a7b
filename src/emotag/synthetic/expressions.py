"""Emotional expressions of the synthetic talkers: units of seven classes, after the action units of Ekman and Friesen's
EMFACS prototypes, and what an emotion teacher would say of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d

from emotag.types import EMOTIONS, FPS, NEUTRAL

# Units at full intensity; a name without side stands for both.
UNITS: dict[str, dict[str, float]] = {
    "angry": {"browDown": 0.9, "eyeSquint": 0.45, "noseSneer": 0.3, "mouthPress": 0.25, "mouthFrown": 0.3},
    "disgust": {
        "noseSneer": 0.8, "mouthUpperUp": 0.35, "browDown": 0.45, "cheekSquint": 0.4, "mouthFrown": 0.35,
        "eyeSquint": 0.4,
    },
    "fear": {
        "browInnerUp": 0.85, "browOuterUp": 0.45, "browDown": 0.25, "eyeWide": 0.7, "mouthStretch": 0.5,
        "mouthFrown": 0.15,
    },
    "happy": {"mouthSmile": 0.65, "cheekSquint": 0.6, "eyeSquint": 0.3, "mouthDimple": 0.15, "mouthUpperUp": 0.1},
    "sad": {"browInnerUp": 0.7, "browDown": 0.2, "mouthFrown": 0.6, "mouthShrugLower": 0.25, "eyeBlink": 0.18},
    "surprise": {"browInnerUp": 0.8, "browOuterUp": 0.8, "eyeWide": 0.65},
    "neutral": {},
}  # fmt: skip
# Mouths open wider in some emotions: factor on aperture and jaw at full intensity.
OPENNESS = {"angry": 1.2, "happy": 1.1, "surprise": 1.35, "fear": 1.1, "sad": 0.8, "disgust": 1.0, "neutral": 1.0}
FADE_S = 0.25
# How much of the prototype is shown at levels 0 (neutral) to 3. Classifiers see little in the prototypes at strength 1
# (happy 0.13 and 0.25 for teacher and scorer on four talkers), more at 1.5 (0.44 and 0.65).
LEVEL_STRENGTH = (0.0, 0.5, 1.0, 1.5)
# A teacher's logits for a full expression, and how far they wander.
TEACHER_LOGIT, TEACHER_NOISE = 4.0, 0.35


@dataclass(frozen=True)
class Mood:
    """From `start_s` on the talker shows `emotion` at `intensity` 0 to 1."""

    start_s: float
    emotion: str
    intensity: float


def intensities(moods: Sequence[Mood], frames: int) -> np.ndarray:
    """Intensity of each class [T, 7], faded over about half a second where the mood changes (neutral's is 0)."""
    course = np.zeros((frames, len(EMOTIONS)))
    for index, mood in enumerate(moods):
        stop = round(moods[index + 1].start_s * FPS) if index + 1 < len(moods) else frames
        course[round(mood.start_s * FPS) : stop, EMOTIONS.index(mood.emotion)] = mood.intensity
    course[:, NEUTRAL] = 0.0
    return gaussian_filter1d(course, FADE_S * FPS, axis=0, mode="nearest")


def acted(emotion: str, level: int, level_db: np.ndarray) -> np.ndarray:
    """Course [T, 7] of an emotion at `level` 1 to 3 (0: neutral) that follows the voice's loudness `level_db` [T].

    Louder speech is more expressive: from 0.75 of the level's strength in pauses to 1.15 of it at the loudest.
    """
    loud = gaussian_filter1d(level_db, FADE_S * FPS, mode="nearest")
    share = (loud - loud.min()) / max(np.ptp(loud), 1e-6)
    course = np.zeros((len(level_db), len(EMOTIONS)))
    course[:, EMOTIONS.index(emotion)] = LEVEL_STRENGTH[level] * (0.75 + 0.4 * share)
    course[:, NEUTRAL] = 0.0
    return course


def emotional_units(course: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Expression units [T, E] 0 to 1 of class intensities [T, 7]; `names` [E]."""
    table = np.array([[unit_strength(UNITS[emotion], name) for name in names] for emotion in EMOTIONS])
    return np.clip(course @ table, 0.0, 1.0)


def unit_strength(units: dict[str, float], name: str) -> float:
    """Strength of the expression unit `name` in a table whose names may lack a side."""
    return units.get(name, units.get(name.removesuffix("Left").removesuffix("Right"), 0.0))


def openness(course: np.ndarray) -> np.ndarray:
    """Factor [T] on aperture and jaw."""
    return 1.0 + course @ (np.array([OPENNESS[emotion] for emotion in EMOTIONS]) - 1.0)


def teacher(course: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Probabilities [T, 7] such as a classifier of faces gives: soft, and slowly wandering."""
    logits = TEACHER_LOGIT * course
    logits[:, NEUTRAL] = TEACHER_LOGIT * (1.0 - course.sum(1)) / 2 + 1.0
    noise = gaussian_filter1d(random.normal(size=course.shape), FPS / 4, axis=0)
    logits += TEACHER_NOISE * noise / noise.std()
    odds = np.exp(logits - logits.max(1, keepdims=True))
    return odds / odds.sum(1, keepdims=True)


def random_moods(random: np.random.Generator, duration_s: float, calm: float = 0.35) -> list[Mood]:
    """Moods that change every 5 to 10 s; a share `calm` of them is neutral."""
    moods, clock = [], 0.0
    while clock < duration_s:
        emotion = "neutral" if random.random() < calm else EMOTIONS[random.integers(len(EMOTIONS))]
        moods.append(Mood(clock, emotion, float(random.uniform(0.35, 1.0))))
        clock += random.uniform(5.0, 10.0)
    return moods
