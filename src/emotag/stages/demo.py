"""The demo's footage: a talker made by code speaks the shipped voice `demo`, as an ordinary video file.

Reads: the head and the voices. Writes: mp4 (H.264 + AAC, labelled as synthetic) and the true motion as Tracks.
"""

import logging
from pathlib import Path

from emotag import stage
from emotag.config import DemoConfig
from emotag.errors import ArtifactMismatch
from emotag.head import models
from emotag.io.video import write_video
from emotag.synthetic.appearance import Look
from emotag.synthetic.expressions import Mood, intensities
from emotag.synthetic.figure import frames
from emotag.synthetic.talker import default_camera, perform, random_person
from emotag.synthetic.voices import DEMO, Voice, cut_at_pause, load
from emotag.types import FPS

log = logging.getLogger(__name__)

# The identity coefficients' scale: a face near the mean one.
VARIETY = 0.5
MOODS = (Mood(0.0, "happy", 0.4), Mood(3.0, "neutral", 0.0), Mood(7.5, "surprise", 0.35), Mood(10.0, "happy", 0.25))


def run(*, head: Path, speech: Path, out: Path, out_truth: Path, config: DemoConfig) -> None:
    """Draw the demo's video.

    Raises:
        ArtifactMismatch: the voices lack the demo's.
    """
    person = models.load(head)
    voice = cut_at_pause(demo_voice(speech), config.seconds)
    talker = random_person(DEMO, person.shape_size, config.seed, VARIETY)
    course = intensities(MOODS, int(voice.phones[-1][1] * FPS))
    shown = perform(person, talker, voice, course, default_camera(config.size_px))
    shown.tracks.save(out_truth, stage.provenance())
    pictures = frames(person, shown.tracks, Look(), config.seed)
    count = write_video(
        out, pictures, fps=FPS, crf=config.crf, audio=voice.audio, comment="synthetic: made by emotag, nobody is shown"
    )
    log.info("%d frames", count)


def demo_voice(folder: Path) -> Voice:
    """The voice named `DEMO`."""
    for voice in load(folder):
        if voice.name == DEMO:
            return voice
    raise ArtifactMismatch(f"{folder}: found no voice named {DEMO}; check out data/voices again")


if __name__ == "__main__":
    stage.main(run)
