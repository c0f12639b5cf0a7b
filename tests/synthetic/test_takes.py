"""The shipped takes: phones cover each, emotions and levels are all there, and prosody says which."""

from pathlib import Path

import numpy as np
import pytest

from emotag.errors import AssetMissing
from emotag.people import SHIPPED_SPEAKERS
from emotag.synthetic.takes import cut_into_takes, fitted, load
from emotag.synthetic.visemes import TARGETS
from emotag.types import EMOTIONS, SAMPLE_RATE_HZ

TAKES = Path(__file__).resolve().parents[2] / "data" / "takes"


@pytest.fixture(scope="module")
def takes():
    return [load(path) for path in sorted(TAKES.glob("speaker*.json"))]


def test_phones_cover_every_take(takes):
    for take in (take for speaker in takes for take in speaker):
        starts, ends, names = zip(*take.voice.phones, strict=True)
        np.testing.assert_allclose(starts[1:], ends[:-1])
        assert starts[0] == 0 and ends[-1] == pytest.approx(len(take.voice.audio) / SAMPLE_RATE_HZ, abs=0.01)
        assert set(names) <= set(TARGETS)


def test_every_emotion_has_three_levels_by_several_people(takes):
    found = {(take.emotion, take.level) for speaker in takes for take in speaker}
    assert found == {("neutral", 0)} | {(name, level) for name in EMOTIONS if name != "neutral" for level in (1, 2, 3)}
    people = {name: {t.speaker for s in takes for t in s if t.emotion == name} for name in EMOTIONS}
    assert all(len(speakers) >= 4 for speakers in people.values())
    assert len({speaker[0].language for speaker in takes}) >= 6


def test_prosody_grows_with_the_level(takes):
    def decibel(take):
        return 10 * np.log10(np.mean(take.voice.audio**2))

    for speaker in takes:
        neutral = decibel(speaker[0])
        for emotion, sign in (("angry", 1), ("sad", -1)):
            levels = [sign * (decibel(t) - neutral) for t in speaker if t.emotion == emotion]
            assert levels == sorted(levels)


def test_fitting_cuts_or_adds_silence(takes):
    voice = takes[0][0].voice
    for seconds in (2.0, 9.0):
        changed = fitted(voice, seconds)
        assert len(changed.audio) == seconds * SAMPLE_RATE_HZ and changed.phones[-1][1] == seconds
    assert changed.phones[-1][2] == "SIL" and not changed.audio[-SAMPLE_RATE_HZ:].any()


def test_the_configuration_knows_how_many_speakers_there_are(takes):
    assert len(takes) == SHIPPED_SPEAKERS


def test_recordings_are_cut_in_their_silences():
    phones = [
        (0.0, 0.3, "SIL"),
        (0.3, 4.0, "AA"),
        (4.0, 4.4, "SIL"),
        (4.4, 7.0, "M"),
        (7.0, 20.0, "EH"),
        (20.0, 20.5, "SIL"),
    ]
    cut = cut_into_takes(phones, 6.0)
    assert [take["start_s"] for take in cut] == pytest.approx([0.0, 4.2, 10.2, 16.2])
    for take in cut:
        starts, ends, _ = zip(*take["phones"], strict=True)
        assert starts[0] == 0 and ends[-1] <= 6.0 and starts[1:] == pytest.approx(ends[:-1])


def test_no_sound_is_an_error(tmp_path):
    (tmp_path / "speaker01.json").write_text("{}")
    with pytest.raises(AssetMissing, match=r"speaker01\.ogg"):
        load(tmp_path / "speaker01.json")
