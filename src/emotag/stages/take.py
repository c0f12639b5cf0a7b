"""A recording of a real voice as takes for the synthetic talkers.

Reads: any audio file, the speech model, `PhoneClassifier`, and a transcript where there is one. Writes: the sound (16 kHz)
and its takes in the form of data/takes (JSON). With a transcript espeak-ng, called as a program, says which phones are
spoken, and these are placed in the sound; without one the phones are recognised.
"""

import json
import logging
from pathlib import Path

from emotag import stage
from emotag.artifacts import PhoneClassifier
from emotag.audio import speech
from emotag.config import SpeechConfig
from emotag.errors import ArtifactMismatch
from emotag.io.artifact import write_atomic
from emotag.io.audio import read_audio, write_wav
from emotag.synthetic import ipa
from emotag.synthetic.phone_model import PhoneModel
from emotag.synthetic.takes import cut_into_takes

log = logging.getLogger(__name__)

LONGEST_S = 6.6


def run(
    *, name: str, audio: Path, transcript: list[Path], language: str, model: Path, phones: Path, out: Path, out_audio: Path,
    config: SpeechConfig,
) -> None:  # fmt: skip
    """Find the phones of one recording. `transcript`: none or one text file.

    Raises:
        ArtifactMismatch: the classifier reads other features than `config` makes.
    """
    known, revision = PhoneClassifier.load(phones), speech.revision(model, config)
    if (known.speech_provider, known.speech_revision) != (config.provider, revision):
        raise ArtifactMismatch(
            f"{phones}: reads features of {known.speech_provider}/{known.speech_revision}, found {config.provider}/{revision}; "
            "make it again"
        )
    samples = read_audio(audio)
    features = speech.load(model, config).features(samples, name)
    classifier = PhoneModel.from_arrays(known.names, known.arrays)
    if transcript:
        wanted = ipa.phones_of_text(transcript[0].read_text(encoding="utf-8"), language)
        found = classifier.align(features, [phone for phone in wanted if phone in known.names])
    else:
        found = classifier.decode(features)
    takes = cut_into_takes(found, LONGEST_S)
    content = {"voice": name, "language": language, "takes": takes}
    write_wav(out_audio, samples)
    write_atomic(out, (json.dumps(content, ensure_ascii=False) + "\n").encode())
    log.info("%s: %d phones in %d takes", name, sum(phone != "SIL" for _, _, phone in found), len(takes))


if __name__ == "__main__":
    stage.main(run)
