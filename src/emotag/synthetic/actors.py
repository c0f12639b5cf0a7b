"""Actors: synthetic talkers whose voice carries the emotion that their face shows, in motion space alone.

The talkers of `emotag.synthetic.corpus` speak calm voices in whatever mood; nothing of the mood is in their sound. Actors
speak the shipped emotional readings (`emotag.synthetic.takes`), and calm ones with a calm face, so that emotion can be heard.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from emotag.artifacts import Speech
from emotag.head.arkit import ArkitHead
from emotag.synthetic.augmentation import at_speed, augmented
from emotag.synthetic.corpus import SPEEDS, Sample, sample_of
from emotag.synthetic.expressions import acted
from emotag.synthetic.movement import loudness
from emotag.synthetic.takes import Take
from emotag.synthetic.talker import default_camera, perform, random_person
from emotag.synthetic.voices import Voice, cut_at_pause
from emotag.types import FPS

# Actors begin here, so that none is a talker, a person of the rendered corpus, or the demo's.
FIRST_SEED = 300_000
CALM_S = 12.0


def actor(
    head: ArkitHead, takes: Sequence[Take], index: int, seed: int, speech_of: Callable[[np.ndarray], Speech]
) -> Iterator[tuple[str, Sample]]:
    """Actor number `index`, a random person, performs `takes`: (`<actor>-<take>`, what is known of it)."""
    random = np.random.default_rng([seed, index, 3])
    speed = int(random.choice(SPEEDS))
    person = random_person(f"actor{index:02d}", head.shape_size, FIRST_SEED + 1000 * seed + index)
    for number, take in enumerate(takes):
        voice = at_speed(take.voice, speed)
        frames = int(voice.phones[-1][1] * FPS)
        course = acted(take.emotion, take.level, loudness(voice.audio, frames))
        shown = perform(head, person, voice, course, default_camera(512))
        heard = speech_of(augmented(voice.audio, random))
        yield f"{person.name}-{number:02d}", sample_of(head, person, shown, heard)


def calm(voice: Voice) -> Take:
    """The beginning of a calm voice as a neutral take."""
    return Take(cut_at_pause(voice, CALM_S), voice.name, "en", "neutral", 0)
