"""Corpus of actors for the emotional part of the prior: talkers made by code whose voice carries what their face shows.

Reads: the head, the shipped emotional takes and calm voices, the speech model. Writes: a Corpus, one clip a take. The demo's
voice and the one that the table of emotions speaks with are left out.
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np

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
from emotag.synthetic.corpus import Sample, columns

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

    def heard(audio: np.ndarray) -> Speech:
        return speech.speech_of(audio, encoder, speech_config, revision)

    def actors() -> Iterator[tuple[str, Sample]]:
        for index, path in enumerate(takes):
            repertoire = [*acted.load(path), calm(spoken[index % len(spoken)])]
            yield from actor(person, repertoire, index, config.seed, heard)
            log.info("actor %d of %d: %d takes", index + 1, len(takes), len(repertoire))

    arrays = columns(actors(), out.parent)
    Corpus(
        head_model=person.name,
        motion_names=motion_names(person.expression_names),
        **arrays,
        people={name: name.split("-")[0] for name in arrays["motion"]},
        offset_frames=dict.fromkeys(arrays["motion"], 0.0),
        provider=f"synthetic/{speech_config.provider}/{revision}",
    ).save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
