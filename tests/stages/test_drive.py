"""What a drive hears of emotion."""

import logging

import numpy as np
import pytest

from emotag.artifacts import Speech
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork
from emotag.stages.drive import listened
from emotag.types import EMOTIONS


def speech(pitch_st, level_db=-25.0):
    """Ten seconds of a lively voice around a pitch in semitones, at a level."""
    random = np.random.default_rng(0)
    log_f0 = (pitch_st + 2 * random.normal(size=500)) * np.log(2) / 12
    features, ones = np.zeros((500, 8), np.float32), np.ones(500, np.float32)
    return Speech(features, log_f0.astype(np.float32), ones, level_db * ones, provider="p", revision="r")


def network(prosody="used"):
    return GatedResidualMotionNetwork(
        Architecture(7, 8, 5, components=6, width=32, layers=1, heads=4, feedforward=64, prosody=prosody)
    )


@pytest.fixture
def calm(tmp_path):
    speech(80).save(tmp_path / "calm.safetensors", {})
    return [tmp_path / "calm.safetensors"]


def test_a_voice_is_heard_against_its_calm_recording(calm):
    found, same = (listened(network(), speech(*at), calm, 240) for at in ((85, -22), (80, -25)))
    assert found.shape == (240, len(EMOTIONS)) and found.sum(1).mean() > 0.5 and same.sum(1).mean() < 0.05


def test_without_a_calm_recording_it_is_said_that_nothing_is_heard(caplog):
    with caplog.at_level(logging.INFO):
        assert listened(network(), speech(80), [], 240) is None
    assert "no calm recording of this voice is named (adapt.drive.calm)" in caplog.text


def test_a_network_without_prosody_hears_nothing(calm):
    assert not listened(network("none"), speech(85), calm, 240).any()


def test_speech_without_prosody_is_said_to_be_not_heard(calm, caplog):
    given = speech(85)
    silent = Speech(given.features, given.log_f0, 0 * given.voiced, given.energy, provider="p", revision="r")
    with caplog.at_level(logging.INFO):
        assert not listened(network(), silent, calm, 240).any()
    assert "there is no voice in this speech (silence, or speech.prosody: none)" in caplog.text
