"""The linear prior from speech to lip measures that the audio-visual offset is read off with.

Reads the synthetic voices and the speech model, writes `LipRidge`. The lips are those the phones ask for
(`emotag.synthetic.visemes`), so an offset found with it is relative to the sync of the synthetic talkers.
"""

import logging
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import LipRidge
from emotag.audio import speech
from emotag.audio.windows import frame_times
from emotag.config import SpeechConfig
from emotag.motion.ridge import Pair, Ridge, standardise
from emotag.synthetic import visemes
from emotag.synthetic.voices import DEMO
from emotag.synthetic.voices import load as load_voices
from emotag.types import FPS, SAMPLE_RATE_HZ

log = logging.getLogger(__name__)

# A stronger penalty than for real lips: the synthetic ones hold nothing but phones. Chosen on real clips.
RIDGE = 1.0


def run(*, voices: Path, model: Path, out: Path, config: SpeechConfig) -> None:
    """Encode every voice but the demo's and fit the ridge in closed form."""
    encoder = speech.load(model, config)
    pairs = []
    for voice in load_voices(voices):
        if voice.name == DEMO:  # the demo is to be a stranger to the prior
            continue
        times = frame_times(np.arange(int(len(voice.audio) / SAMPLE_RATE_HZ * FPS)))
        lips = visemes.lip_track(voice.phones, times)
        pairs.append(Pair(encoder.features(voice.audio, voice.name), times, standardise(lips)))
    log.info("%d voices, %.0f s", len(pairs), sum(len(pair.times_s) for pair in pairs) / FPS)
    ridge = Ridge.fit(pairs, ridge=RIDGE, max_frames=np.inf)
    prior = LipRidge(
        ridge=ridge.to_arrays(),
        measures=list(visemes.MEASURES),
        speech_provider=config.provider,
        speech_revision=speech.revision(model, config),
    )
    prior.save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
