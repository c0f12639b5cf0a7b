"""A corpus of synthetic talkers in motion space: nobody is rendered."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch

from emotag.artifacts import Speech
from emotag.head.arkit import ArkitHead
from emotag.io.tensors import Spool, StoredArray
from emotag.synthetic.augmentation import at_speed, augmented
from emotag.synthetic.expressions import intensities, random_moods
from emotag.synthetic.talker import Performance, Person, default_camera, perform, random_person
from emotag.synthetic.visemes import pitch_course
from emotag.synthetic.voices import Voice
from emotag.types import FPS, UPPER_FACE_AUS

# Speeds in percent at which voices are played: they change the size of the speaker.
SPEEDS = np.arange(92, 109)
# Talkers of the corpus begin here, so that none is the demo's.
FIRST_SEED = 1_000


@dataclass(frozen=True)
class Sample:
    """What one talker adds to a `Corpus`, under the names of its columns."""

    motion: np.ndarray
    action_units: np.ndarray
    emotion: np.ndarray
    identity: np.ndarray
    features: np.ndarray
    prosody: np.ndarray


def columns(samples: Iterable[tuple[str, Sample]], folder: Path) -> dict[str, dict[str, StoredArray]]:
    """Columns of a `Corpus` from (clip, sample); the arrays wait on disk in `folder`: memory does not grow with them."""
    spool = Spool(folder)
    gathered: dict[str, dict[str, StoredArray]] = {field.name: {} for field in fields(Sample)}
    for clip, sample in samples:
        for column, arrays in gathered.items():
            arrays[clip] = spool.keep(getattr(sample, column))
    return gathered


def talker(head: ArkitHead, voice: Voice, index: int, seed: int, speech_of: Callable[[np.ndarray], Speech]) -> Sample:
    """Talker number `index`: a random person in changing moods, whose `voice` is heard in a random room."""
    random = np.random.default_rng([seed, index])
    voice = at_speed(voice, int(random.choice(SPEEDS)))
    frames = int(voice.phones[-1][1] * FPS)
    person = random_person(f"talker{index:02d}", head.shape_size, FIRST_SEED + 100 * seed + index)
    course = intensities(random_moods(random, frames / FPS), frames)
    heard = speech_of(augmented(voice.audio, random))
    pitch = pitch_course(heard.log_f0, heard.voiced, np.arange(frames) / FPS)
    shown = perform(head, person, voice, course, default_camera(512), pitch=pitch)
    return sample_of(head, person, shown, heard)


def sample_of(head: ArkitHead, person: Person, shown: Performance, heard: Speech) -> Sample:
    """What a `Corpus` holds of a performance whose sound is `heard`."""
    return Sample(
        motion=np.concatenate([shown.tracks.expression, shown.tracks.jaw], 1),
        action_units=upper_face_cues(head, shown),
        emotion=shown.emotion,
        identity=person.shape,
        features=np.asarray(heard.features, np.float32),
        prosody=np.stack([heard.log_f0, heard.voiced, heard.energy], 1).astype(np.float32),
    )


def upper_face_cues(head: ArkitHead, shown: Performance) -> np.ndarray:
    """Intensities [T, 6] 0 to 5 of `UPPER_FACE_AUS`; a talker's neutral face has every unit at 0."""
    tracks = shown.tracks
    intensity = head.action_units(torch.from_numpy(tracks.expression), torch.from_numpy(tracks.jaw)).numpy()
    return intensity[:, [head.action_unit_names.index(name) for name in UPPER_FACE_AUS]]
