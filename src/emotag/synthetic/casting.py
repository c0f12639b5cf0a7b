"""Who is in a clip of the synthetic corpus, what is said, and how it is filmed: all drawn by seed.

A person keeps shape, skin, hair, eyes and voice; each clip has its own shirt, light, backdrop, camera and microphone. The
distributions are plain ones over the looks of people; they are no statistics of any population.
"""

from dataclasses import dataclass, replace

import numpy as np

from emotag.geometry.camera import Camera
from emotag.synthetic.appearance import Look
from emotag.synthetic.augmentation import at_speed
from emotag.synthetic.lighting import Light, light_of
from emotag.synthetic.takes import Take
from emotag.synthetic.talker import Person, random_person

# Identities of the corpus begin here, so that none is a talker of the parameter-space corpus or the demo.
FIRST_SEED = 500_000
# From light to dark, sRGB; undertones are drawn.
SKIN = np.array([(0.90, 0.74, 0.66), (0.84, 0.65, 0.55), (0.76, 0.56, 0.44), (0.62, 0.43, 0.32), (0.46, 0.31, 0.23),
                 (0.33, 0.22, 0.17)])  # fmt: skip
HAIR = np.array([(0.10, 0.08, 0.07), (0.17, 0.11, 0.08), (0.26, 0.17, 0.11), (0.40, 0.27, 0.16), (0.58, 0.44, 0.27),
                 (0.72, 0.60, 0.42), (0.42, 0.20, 0.11), (0.52, 0.51, 0.50), (0.72, 0.71, 0.70)])  # fmt: skip
IRIS = np.array([(0.22, 0.14, 0.09), (0.30, 0.20, 0.12), (0.38, 0.33, 0.20), (0.34, 0.42, 0.30), (0.32, 0.42, 0.50),
                 (0.42, 0.48, 0.52)])  # fmt: skip
SPEEDS = np.arange(95, 106)
# Aperture, width, protrusion and jaw of rendered people, over those of the talkers in parameter space. With these the face
# mesh sees what it sees of real speakers: on four clips the chin moves by 0.021 to 0.040 outer-eye distances (deviation),
# the width of the mouth by 0.021 to 0.038; with ones it saw 0.010 to 0.025 and 0.034 to 0.056 of rendered people.
LIP_GAIN = np.array([1.0, 0.65, 1.0, 1.5])


@dataclass(frozen=True)
class Sensor:
    """What the camera does to light: `gain` [3] of exposure and white balance, `blur_px` of the lens, `shot` and `read`
    noise (deviation at white, at black; linear light)."""

    gain: np.ndarray
    blur_px: float
    shot: float
    read: float


@dataclass(frozen=True)
class Role:
    """One clip: `person` and `look`, the `take` spoken, `light`, `camera` and the head's `place` m before it, `sensor`,
    the microphone's `snr_db`, and the `seed` of everything that moves in it."""

    person: Person
    look: Look
    take: Take
    light: Light
    camera: Camera
    place: tuple[float, float, float]
    sensor: Sensor
    snr_db: float
    seed: int


def cast(identity: int, clip: int, seed: int, speaker: list[Take], shape_size: int, size_px: int) -> Role:
    """The role of clip number `clip` of identity number `identity` (both from 0), who speaks with `speaker`'s voice."""
    look, person, speed = _identity(identity, seed, shape_size, _is_deep(speaker))
    random = np.random.default_rng([seed, identity, clip, 11])
    take = speaker[clip % len(speaker)]
    take = replace(take, voice=at_speed(take.voice, speed))
    backdrop, shirt = (_colour(random, low, high) for low, high in ((0.15, 0.9), (0.1, 0.85)))
    camera, place = _camera(random, size_px)
    return Role(
        replace(person, seed=person.seed + 100 * clip),
        replace(look, backdrop=backdrop, shirt=shirt),
        take,
        _light(random),
        camera,
        place,
        _sensor(random),
        float(random.uniform(22.0, 45.0)),
        int(random.integers(2**31)),
    )


def _identity(identity: int, seed: int, shape_size: int, deep: bool) -> tuple[Look, Person, int]:
    """What stays with a person; `deep`: of a low voice, who may have a beard and rather has short hair."""
    random = np.random.default_rng([seed, identity, 10])
    tone = random.uniform(0, len(SKIN) - 1)
    skin = _along(SKIN, tone) * (1 + random.normal(0, [0.01, 0.015, 0.02]))
    shade = random.integers(len(HAIR)) if tone < 2.2 else random.choice([0, 0, 1, 1, 2, 7])
    eyes = random.integers(len(IRIS)) if tone < 2.2 else random.choice([0, 0, 1, 2])
    long = random.random() < (0.12 if deep else 0.75)
    look = Look(
        skin=_sound(skin),
        lips=_sound(skin * np.array([0.88, 0.68, 0.71]) * random.uniform(0.92, 1.05)),
        hair=_sound(HAIR[shade] * random.uniform(0.85, 1.15)),
        iris=_sound(IRIS[eyes] * random.uniform(0.85, 1.15)),
        hair_lift=float(random.uniform(0.25, 1.0) if not long else random.uniform(0.5, 1.1)),
        receding=float(random.choice([0.0, 0.0, 0.008, 0.02, 0.035]) if deep else random.uniform(-0.004, 0.004)),
        beard=float(random.choice([0.0, 0.0, 0.25, 0.5, 0.85])) if deep else 0.0,
        freckles=float(random.choice([0.0, 0.2, 0.6, 1.0])) if tone < 2 else 0.0,
        hair_length=float(random.uniform(0.05, 0.19)) if long else 0.0,
        brows=float(random.uniform(0.6, 1.0)),
        # As dark as in photographs: with light teeth the face mesh takes open lips for shut ones.
        mouth_light=float(random.uniform(0.3, 0.5)),
        lower_teeth=float(random.uniform(0.05, 0.15)),
    )
    person = random_person(f"syn{identity + 1:02d}", shape_size, FIRST_SEED + 10_000 * (seed % 1000) + 1000 * identity)
    # Without hanging lids classifiers take every face for a frightened one.
    person = replace(person, lid_rest=float(random.uniform(0.1, 0.25)), gain=LIP_GAIN * person.gain)
    return look, person, int(random.choice(SPEEDS))


def _is_deep(speaker: list[Take]) -> bool:
    """Whether a speaker's voice is a low one: median autocorrelation pitch of the first take under 165 Hz."""
    audio = speaker[0].voice.audio
    frames = np.lib.stride_tricks.sliding_window_view(audio, 800)[::400]
    loud = frames[(frames**2).mean(1) > np.mean(audio**2)]
    spectrum = np.abs(np.fft.rfft(loud - loud.mean(1, keepdims=True), 2048)) ** 2
    lags = np.fft.irfft(spectrum)[:, 45:230]
    return float(np.median(16_000 / (45 + lags.argmax(1)))) < 165.0


def _light(random: np.random.Generator) -> Light:
    """A key from any side in front, a fill from the other, a rim, and light from all round; warm to cool."""
    side = random.choice([-1.0, 1.0])
    warmth = random.uniform(-0.12, 0.12)
    tint, other = np.array([1 + warmth, 1.0, 1 - warmth]), np.array([1 - warmth / 2, 1.0, 1 + warmth / 2])
    key = random.uniform(0.45, 1.0)
    fill = random.uniform(0.15, 0.5)
    directions = [
        (side * random.uniform(0.0, 1.0), random.uniform(0.2, 0.9), 0.85),
        (-side * random.uniform(0.4, 1.0), random.uniform(-0.1, 0.4), random.uniform(0.3, 0.9)),
        (-side * random.uniform(0.2, 0.8), random.uniform(0.3, 0.8), -0.75),
    ]
    strengths = [key * tint, fill * other, random.uniform(0.0, 0.6) * np.ones(3)]
    ambient = random.uniform(0.16, 0.36)
    return light_of(directions, strengths, 1.1 * ambient * other, 0.5 * ambient * tint)


def _camera(random: np.random.Generator, size_px: int) -> tuple[Camera, tuple[float, float, float]]:
    """A lens of 1.5 to 3 times the picture's width, and the head somewhere about the middle."""
    focal = random.uniform(1.5, 3.0) * size_px
    distance = focal / size_px * random.uniform(0.38, 0.50)
    shift = random.uniform(-0.03, 0.03, 2) * distance
    half = size_px / 2
    return Camera(focal, focal, half, half, size_px, size_px), (
        float(shift[0]),
        float(0.015 + shift[1]),
        -float(distance),
    )


def _sensor(random: np.random.Generator) -> Sensor:
    balance = 1 + random.normal(0, 0.03, 3)
    return Sensor(
        random.uniform(0.85, 1.15) * balance,
        random.uniform(0.0, 0.7),
        random.uniform(0.004, 0.02),
        random.uniform(0.001, 0.006),
    )


def _along(colours: np.ndarray, place: float) -> np.ndarray:
    """Colour [3] at a place 0 to len - 1 on the line through `colours`."""
    return np.array([np.interp(place, np.arange(len(colours)), channel) for channel in colours.T])


def _colour(random: np.random.Generator, low: float, high: float) -> tuple[float, float, float]:
    """A muted colour of any hue."""
    grey, tint = random.uniform(low, high), random.normal(0, 0.035, 3)
    return _sound(grey + tint - tint.mean())


def _sound(colour: np.ndarray) -> tuple[float, float, float]:
    return tuple(float(value) for value in np.clip(colour, 0.02, 0.97))
