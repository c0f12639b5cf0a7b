"""A talker made by code: a person of the head model who speaks a synthetic voice, as Tracks.

Lips follow the visemes (`emotag.synthetic.visemes`) at a real speaker's scale through the head's own landmarks; the
rest of the face, head and eyes move by seed.
"""

from dataclasses import dataclass

import numpy as np

from emotag.artifacts import Tracks
from emotag.geometry.camera import Camera
from emotag.head.arkit import ArkitHead
from emotag.synthetic import movement
from emotag.synthetic.expressions import emotional_units, openness, teacher
from emotag.synthetic.mouth import CLOSED_GAP, mouth_model, preferences
from emotag.synthetic.visemes import lip_track
from emotag.synthetic.voices import Voice
from emotag.types import FPS, LANDMARKS

# Deviation of aperture, width, protrusion and jaw of real speakers, in outer-eye distances.
SPREAD = np.array([0.05, 0.05, 0.012, 0.03])
# The mean aperture and jaw opening over their deviations: real lips close at 1.5 deviations under the mean (median of 19
# clips; 1.2 to 2.8), where they stop.
MEAN_OPENING = np.array([1.5, 0.0, 0.0, 1.1])
# An emotion moves the mouth's mean this far towards what its units alone would do.
MOOD_SHARE = 0.7
# Where the head's origin stands before the camera, m.
PLACE = (0.0, 0.012, -0.75)
FOCAL_OVER_WIDTH = 2.0


@dataclass(frozen=True)
class Person:
    """Who talks: `shape` [S] identity coefficients, `gain` [4] over the usual spread of the lip measures, `liveliness`
    of head and brows, `blink_interval_s`, the seed of all movement, and `lid_rest` 0 to 1, how far the lids hang at rest."""

    name: str
    shape: np.ndarray
    gain: np.ndarray
    liveliness: float
    blink_interval_s: float
    seed: int
    lid_rest: float = 0.0


@dataclass(frozen=True)
class Performance:
    """`tracks` at 25 fps, `emotion` [T, 7] probabilities as a teacher gives them, `lips` [T, 4] wanted lip measures."""

    tracks: Tracks
    emotion: np.ndarray
    lips: np.ndarray


def random_person(name: str, shape_size: int, seed: int, variety: float = 0.75) -> Person:
    """A person by seed; `variety` scales the unit-variance identity coefficients."""
    random = np.random.default_rng([seed, 1])
    return Person(
        name,
        (variety * random.normal(size=shape_size)).astype(np.float32),
        np.exp(random.normal(0.0, [0.25, 0.25, 0.2, 0.25])),
        float(random.uniform(0.6, 1.3)),
        float(random.uniform(2.4, 4.2)),
        seed,
    )


def perform(
    head: ArkitHead,
    person: Person,
    voice: Voice,
    course: np.ndarray,
    camera: Camera,
    place: tuple[float, float, float] = PLACE,
    pitch: np.ndarray | None = None,
) -> Performance:
    """`person` speaks `voice` for T frames with the class intensities `course` [T, 7], at `place` m before `camera`.

    `pitch` [T] (`emotag.synthetic.visemes.pitch_course`) moves the lips a little where it is known.
    """
    random = np.random.default_rng([person.seed, 2])
    frames = len(course)
    times = np.arange(frames) / FPS
    level = movement.loudness(voice.audio, frames)
    felt = emotional_units(course, head.expression_names)
    stressed = movement.beats(level)
    rotation, sway = movement.head_motion(random, stressed, frames, person.liveliness)
    upper = _upper_face(head, random, stressed, felt, person)
    wanted = _standard_lips(voice, times, pitch)
    wanted[:, [0, 3]] *= openness(course)[:, None]
    fixed = np.concatenate([felt, np.zeros((frames, 3))], 1)
    motion, lips = _mouth(head, person, voice, times, wanted, fixed)
    expression = np.clip(motion[:, : upper.shape[1]] + upper, 0.0, 1.0)
    translation = np.array(place) + sway
    arrays = {
        "shape": person.shape, "expression": expression, "jaw": motion[:, upper.shape[1] :],
        "neck": np.zeros((frames, 3)), "eyes": movement.gaze(random, frames, rotation, person.liveliness),
        "rotation": rotation, "translation": translation, "landmark_error": np.zeros((frames, LANDMARKS)),
    }  # fmt: skip
    tracks = Tracks(
        head_model=head.name,
        expression_names=list(head.expression_names),
        camera=camera.as_dict(),
        interpolated=np.zeros(frames, bool),
        **{name: np.asarray(array, np.float32) for name, array in arrays.items()},
    )
    return Performance(tracks, teacher(course, random).astype(np.float32), lips.astype(np.float32))


def default_camera(size_px: int) -> Camera:
    """The camera of the synthetic talkers: square picture, focal length twice its width."""
    focal = FOCAL_OVER_WIDTH * size_px
    return Camera(focal, focal, size_px / 2, size_px / 2, size_px, size_px)


def _standard_lips(voice: Voice, times: np.ndarray, pitch: np.ndarray | None) -> np.ndarray:
    """Lip measures [T, 4] of zero mean and unit deviation over the whole voice (without `pitch` [T]), at `times` [T].

    Loudness moves nothing: fitted beside phones and pitch it says no more of the lips of people left out.
    """
    track = lip_track(voice.phones, np.arange(0.0, voice.phones[-1][1], 1 / FPS))
    return (lip_track(voice.phones, times, pitch=pitch) - track.mean(0)) / track.std(0)


def _mouth(
    head: ArkitHead, person: Person, voice: Voice, times: np.ndarray, wanted: np.ndarray, fixed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Motion [T, C] with the mouth and the `fixed` units, and the measures [T, 4] that were wanted."""
    mouth = mouth_model(head, person.shape)
    moods = MOOD_SHARE * (mouth.measures(fixed) - mouth.measures(np.zeros_like(fixed)))
    moods[:, [0, 3]] = 0.0
    spread = person.gain * SPREAD
    rest = np.concatenate([[CLOSED_GAP], mouth.rest])
    lips = rest + moods + spread * (MEAN_OPENING + wanted)
    lips[:, 0] = np.maximum(lips[:, 0], CLOSED_GAP)
    return np.maximum(fixed + mouth.solve(lips, fixed, preferences(voice.phones, times)), 0.0), lips


def _upper_face(
    head: ArkitHead, random: np.random.Generator, stressed: np.ndarray, felt: np.ndarray, person: Person
) -> np.ndarray:
    """Units [T, E] of blinks and brows on top of the mood's `felt` [T, E]."""
    frames = len(felt)
    names = list(head.expression_names)
    upper = np.zeros_like(felt)
    closure = movement.blinks(random, frames, person.blink_interval_s)
    raises = person.liveliness * movement.brow_raises(random, stressed, frames)
    for side in ("Left", "Right"):
        blink, wide = names.index("eyeBlink" + side), names.index("eyeWide" + side)
        rest = person.lid_rest * (1.0 - felt[:, wide])
        upper[:, blink] = rest + closure * (1.0 - felt[:, blink] - rest)
        # A widened eye closes as well: what holds it open lets go for the blink.
        upper[:, wide] = -closure * felt[:, wide]
        upper[:, names.index("browOuterUp" + side)] = 0.7 * raises
    upper[:, names.index("browInnerUp")] = raises
    return upper
