"""Speech features and prosody of a recording.

Reads a sound file and the speech model, writes `Speech` at 50 Hz (Whisper's encoder, and pYIN with energy).
"""

import logging
from pathlib import Path

from emotag import stage
from emotag.audio import speech
from emotag.config import SpeechConfig
from emotag.errors import FootageError
from emotag.io.audio import read_audio
from emotag.io.stamps import stamp
from emotag.types import SAMPLE_RATE_HZ

log = logging.getLogger(__name__)

SHORTEST_S = 0.5


def run(*, audio: Path, model: Path, out: Path, config: SpeechConfig) -> None:
    """Encode the whole recording.

    Raises:
        FootageError: it is shorter than half a second.
    """
    samples = read_audio(audio)
    seconds = len(samples) / SAMPLE_RATE_HZ
    if seconds < SHORTEST_S:
        raise FootageError(
            f"{audio}: has {seconds:.2f} s of sound, expected at least {SHORTEST_S} s; give a longer one"
        )
    spoken = speech.speech_of(samples, speech.load(model, config), config, speech.revision(model, config))
    log.info("%.1f s of sound, %.0f %% voiced", seconds, 100 * spoken.voiced.mean())
    spoken.save(out, stage.provenance() | stamp(model))


if __name__ == "__main__":
    stage.main(run)
