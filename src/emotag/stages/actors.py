"""Corpus of actors for the emotional part of the prior: talkers made by code whose voice carries what their face shows.

Reads: the head, the shipped emotional takes and calm voices, the speech model. Writes: a Corpus, one clip a take. The demo's
voice and the one that the table of emotions speaks with are left out.
"""

import logging
from dataclasses import fields
from pathlib import Path

from emotag import stage
from emotag.artifacts import Corpus, Speech
from emotag.audio import speech
from emotag.config import SpeechConfig, TalkersConfig
from emotag.errors import ConfigError
from emotag.head import models
from emotag.motion.channels import motion_names
from emotag.synthetic import takes as acted
from emotag.synthetic import voices as shipped
from emotag.synthetic.actors import actor, calm
from emotag.synthetic.corpus import Sample

log = logging.getLogger(__name__)


def run(
    *, head: Path, takes: list[Path], voices: Path, model: Path, out: Path, config: TalkersConfig,
    speech_config: SpeechConfig,
) -> None:  # fmt: skip
    """One actor a speaker of `takes` (JSON files), who also speaks one of the calm voices.

    Raises:
        ConfigError: there is no take.
    """
    if not takes:
        raise ConfigError(
            "actors: found no emotional takes, expected those of data/takes and data/moods; restore the folders"
        )
    person = models.load(head)
    encoder = speech.load(model, speech_config)
    revision = speech.revision(model, speech_config)
    spoken = [voice for voice in shipped.load(voices) if voice.name != shipped.DEMO]

    def heard(audio) -> Speech:
        return speech.speech_of(audio, encoder, speech_config, revision)

    samples: dict[str, Sample] = {}
    for index, path in enumerate(takes):
        repertoire = [*acted.load(path), calm(spoken[index % len(spoken)])]
        samples |= dict(actor(person, repertoire, index, config.seed, heard))
        log.info("actor %d of %d: %d takes", index + 1, len(takes), len(repertoire))
    columns = {f.name: {name: getattr(sample, f.name) for name, sample in samples.items()} for f in fields(Sample)}
    Corpus(
        head_model=person.name,
        motion_names=motion_names(person.expression_names),
        **columns,
        people={name: name.split("-")[0] for name in samples},
        offset_frames=dict.fromkeys(samples, 0.0),
        provider=f"synthetic/{speech_config.provider}/{revision}",
    ).save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
