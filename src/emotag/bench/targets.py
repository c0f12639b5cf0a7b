"""The viseme table from real clips: shipped voices and tracked clips in, visemes.json out (`emotag.synthetic.lip_fit`)."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from emotag.artifacts import Landmarks, Speech
from emotag.audio import speech
from emotag.audio.windows import frame_times
from emotag.config import SpeechConfig
from emotag.io.artifact import read_json
from emotag.synthetic import lip_fit, voices
from emotag.synthetic.augmentation import at_speed, augmented
from emotag.synthetic.lip_fit import SeenLips, Spoken
from emotag.synthetic.visemes import TARGETS
from emotag.tracking.lip_measures import lip_measures

log = logging.getLogger(__name__)

SPEEDS = np.arange(92, 109)
SEED = 77


def run(folders: list[Path], voice_folder: Path, model: Path) -> dict[str, Any]:
    """The table fitted to the clips of `folders`, each with landmarks.safetensors, speech.safetensors and sync.json."""
    seen = [clip_of(folder) for folder in folders]
    names = sorted(TARGETS)
    return lip_fit.document(lip_fit.fit(spoken(voice_folder, model), seen, names), names)


def clip_of(folder: Path) -> SeenLips:
    """A clip's lips on the clock of its sound."""
    points = Landmarks.load(folder / "landmarks.safetensors").points
    offset = read_json(folder / "sync.json", "offset_frames")["offset_frames"]
    features = Speech.load(folder / "speech.safetensors").features
    return SeenLips(np.asarray(features), frame_times(np.arange(len(points)), offset), lip_measures(points))


def spoken(folder: Path, model: Path) -> list[Spoken]:
    """The shipped voices but the demo's, each as it is and once more at another speed in a room."""
    config = SpeechConfig()
    encoder, revision = speech.load(model, config), speech.revision(model, config)
    found = []
    for number, voice in enumerate(voices.load(folder)):
        if voice.name == voices.DEMO:
            continue
        random = np.random.default_rng([SEED, number])
        other = at_speed(voice, int(random.choice(SPEEDS)))
        for audio, phones in ((voice.audio, voice.phones), (augmented(other.audio, random), other.phones)):
            heard = speech.speech_of(audio, encoder, config, revision)
            found.append(Spoken(np.asarray(heard.features), heard.log_f0, heard.voiced, phones))
        log.info("%s", voice.name)
    return found
