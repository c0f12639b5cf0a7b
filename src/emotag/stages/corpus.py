"""Synthetic corpus for the prior: talkers made by code, in motion space alone.

Reads: the head, the shipped voices, the speech model. Writes: a Corpus. Lips follow the fitted visemes
(`emotag.synthetic.visemes`); the demo's voice and person are left out.
"""

import logging
from dataclasses import fields
from pathlib import Path

from emotag import stage
from emotag.artifacts import Corpus
from emotag.audio import speech
from emotag.config import SpeechConfig, TalkersConfig
from emotag.head import models
from emotag.io.tensors import Spool, StoredArray
from emotag.motion.channels import motion_names
from emotag.synthetic import voices as shipped
from emotag.synthetic.corpus import Sample, talker

log = logging.getLogger(__name__)


def run(
    *, head: Path, voices: Path, model: Path, out: Path, config: TalkersConfig, speech_config: SpeechConfig
) -> None:
    """Make the talkers, one after the other; voices are used again, at other speeds, when there are more talkers."""
    person = models.load(head)
    encoder = speech.load(model, speech_config)
    revision = speech.revision(model, speech_config)
    spoken = [voice for voice in shipped.load(voices) if voice.name != shipped.DEMO]
    # Each talker's arrays wait on disk: memory does not grow with their number.
    spool = Spool(out.parent)
    columns: dict[str, dict[str, StoredArray]] = {field.name: {} for field in fields(Sample)}
    for index in range(config.talkers):
        name = f"talker{index:02d}"
        sample = talker(
            person,
            spoken[index % len(spoken)],
            index,
            config.seed,
            lambda audio: speech.speech_of(audio, encoder, speech_config, revision),
        )
        for column, arrays in columns.items():
            arrays[name] = spool.keep(getattr(sample, column))
        log.info("talker %d of %d: %d frames", index + 1, config.talkers, len(sample.motion))
    Corpus(
        head_model=person.name,
        motion_names=motion_names(person.expression_names),
        **columns,
        people={name: name for name in columns["motion"]},
        offset_frames=dict.fromkeys(columns["motion"], 0.0),
        provider=f"synthetic/{speech_config.provider}/{revision}",
    ).save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
