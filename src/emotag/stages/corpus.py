"""Synthetic corpus for the prior: talkers made by code, in motion space alone.

Reads: the head, the shipped voices, the speech model. Writes: a Corpus. Lips follow the fitted visemes
(`emotag.synthetic.visemes`); the demo's voice and person are left out.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Corpus, Speech
from emotag.audio import speech
from emotag.config import SpeechConfig, TalkersConfig
from emotag.head import models
from emotag.motion.channels import motion_names
from emotag.synthetic import voices as shipped
from emotag.synthetic.corpus import Sample, columns, talker

log = logging.getLogger(__name__)


def run(
    *, head: Path, voices: Path, model: Path, out: Path, config: TalkersConfig, speech_config: SpeechConfig
) -> None:
    """Make the talkers, one after the other; voices are used again, at other speeds, when there are more talkers."""
    person = models.load(head)
    encoder = speech.load(model, speech_config)
    revision = speech.revision(model, speech_config)
    spoken = [voice for voice in shipped.load(voices) if voice.name != shipped.DEMO]

    def heard(audio: np.ndarray) -> Speech:
        return speech.speech_of(audio, encoder, speech_config, revision)

    def talkers() -> Iterator[tuple[str, Sample]]:
        for index in range(config.talkers):
            voice = spoken[index % len(spoken)]
            sample = talker(person, voice, index, config.seed, heard)
            yield f"talker{index:02d}", sample
            log.info("talker %d of %d: %d frames", index + 1, config.talkers, len(sample.motion))

    arrays = columns(talkers(), out.parent)
    Corpus(
        head_model=person.name,
        motion_names=motion_names(person.expression_names),
        **arrays,
        people={name: name for name in arrays["motion"]},
        offset_frames=dict.fromkeys(arrays["motion"], 0.0),
        provider=f"synthetic/{speech_config.provider}/{revision}",
    ).save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
