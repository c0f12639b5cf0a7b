"""Phones from speech: a linear classifier learnt on the shipped voices, and how it does on voices it has not heard.

Reads: the voices and the speech model. Writes: `PhoneClassifier`, and CSV with one row a held-out voice: share of 20 ms
tokens whose phone is right (recognised freely; placed with the transcript), correlation of the lip aperture that follows,
and the median distance of phone beginnings (with the transcript).
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from emotag import stage
from emotag.artifacts import PhoneClassifier
from emotag.audio import speech
from emotag.config import SpeechConfig
from emotag.io.artifact import write_atomic
from emotag.synthetic.phone_model import PhoneModel, labels_at
from emotag.synthetic.visemes import lip_track
from emotag.synthetic.voices import Voice, load
from emotag.types import FPS

log = logging.getLogger(__name__)

HELD_OUT = ("demo", "voice04", "voice08", "voice12")


def run(*, voices: Path, model: Path, out: Path, out_table: Path, config: SpeechConfig) -> None:
    """Learn on all voices but those held out, and measure on these."""
    encoder = speech.load(model, config)
    heard = {voice.name: (voice, encoder.features(voice.audio, voice.name)) for voice in load(voices)}
    phones = PhoneModel.fit([(f, voice.phones) for name, (voice, f) in heard.items() if name not in HELD_OUT])
    rows = [scores(phones, *heard[name]) for name in HELD_OUT if name in heard]
    write_atomic(out_table, pd.DataFrame(rows).round(4).to_csv(index=False).encode())
    PhoneClassifier(
        arrays=phones.to_arrays(),
        names=phones.names,
        speech_provider=config.provider,
        speech_revision=speech.revision(model, config),
    ).save(out, stage.provenance())


def scores(model: PhoneModel, voice: Voice, features: np.ndarray) -> dict[str, float | str]:
    """One held-out voice."""
    true, times = labels_at(voice.phones, len(features), model.names), np.arange(0, voice.phones[-1][1], 1 / FPS)
    spoken = [phone for _, _, phone in voice.phones if phone != "SIL"]
    free, placed = model.decode(features), model.align(features, spoken)
    wanted = lip_track(voice.phones, times)[:, 0]
    row: dict[str, float | str] = {"voice": voice.name}
    for name, found in (("free", free), ("transcript", placed)):
        row[f"{name}_tokens_right"] = float((labels_at(found, len(features), model.names) == true).mean())
        row[f"{name}_aperture_corr"] = float(np.corrcoef(lip_track(found, times)[:, 0], wanted)[0, 1])
    begins = [np.array([start for start, _, phone in p if phone != "SIL"]) for p in (voice.phones, placed)]
    row["transcript_begin_ms"] = float(1000 * np.median(np.abs(begins[0] - begins[1])))
    log.info("%s", row)
    return row


if __name__ == "__main__":
    stage.main(run)
