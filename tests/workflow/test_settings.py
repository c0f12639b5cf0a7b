"""Settings to cases: who is adapted on what and tested on what."""

import pytest

from emotag.errors import ConfigError
from emotag.project import resolve
from emotag.workflow.identities import Plan
from emotag.workflow.settings import SAME_CLIP, Setting, cases

TERMS = {"source": "own recording", "licence": "own", "consent": "my own face"}
SECONDS = {"one": 20.0, "calm": 12.0, "calm2": 4.0, "happy1": 4.0, "happy2": 6.0, "happy3": 4.0, "sad": 4.2, "de": 40.0}
LABELS = {f"happy{level}": {"emotion": "happy", "level": level} for level in (1, 2, 3)}
IDENTITIES = {
    "p1": {"video": "one.mp4", "language": "en"},
    "p2": {
        "clips": {clip: f"{clip}.mp4" for clip in ("calm", "calm2", "happy1", "happy2", "happy3", "sad")},
        "adapt_on": {"clip": "calm"},
        "labels": LABELS | {"sad": {"emotion": "sad", "level": 3}},
        "language": "en",
    },
    "p3": {"video": "de.mp4", "adapt_on": {"start_s": 2, "seconds": 10}, "language": "de"},
}


def plan(**paper):
    identities = {name: {**TERMS, **own} for name, own in IDENTITIES.items()}
    identities["p1"]["clips"] = {"one": identities["p1"].pop("video")}
    identities["p3"]["clips"] = {"de": identities["p3"].pop("video")}
    return Plan(resolve({"identities": identities, "paper": paper}, cuda=False))


def found(given=None, **setting):
    listed = cases(given or plan(), Setting(title="t", **setting), SECONDS.get)
    return {(case.identity, case.drive): case.note for case in listed}


def test_neutral_is_tested_on_another_clip_or_on_the_rest():
    assert found(emotion="neutral") == {
        ("p1", "self-one-first-10000ms"): SAME_CLIP,
        ("p2", "self-calm2"): "",
        ("p3--de-5000ms", "self-de-first-10000ms"): SAME_CLIP,
    }


def test_emotional_clips_are_adapted_on_each_by_itself():
    listed = found(emotion="emotional")
    assert ("p2--happy2-5000ms", "self-happy2") in listed and ("p2--sad-5000ms", "self-sad") in listed
    assert listed["p2--sad-5000ms", "self-sad"] == f"{SAME_CLIP}; adapted on the first 2.8 s; only 1.4 s"
    assert listed["p2--happy2-5000ms", "self-happy2"] == f"{SAME_CLIP}; only 1.0 s"


def test_intensity_goes_from_one_level_of_an_emotion_to_another():
    assert list(found(adapt_level=2, test_level=3)) == [("p2--happy2-5000ms", "self-happy3")]
    assert list(found(adapt_level=2, test_level=1)) == [("p2--happy2-5000ms", "self-happy1")]


def test_amounts_are_compared_on_the_same_seconds():
    listed = [found(adapt_s=amount, amounts_s=[5, 10, 20]) for amount in (5, 10, 20)]
    assert [drive for _, drive in listed[0]] == [
        "self-one-10000-20000ms",
        "self-calm-5000-12000ms",
        "self-de-22000-32000ms",
    ]
    assert [identity for identity, _ in listed[1]] == ["p1--one-10000ms", "p3"]
    assert {drive for _, drive in listed[1]} <= {drive for _, drive in listed[0]}
    assert list(listed[2]) == [("p3--de-20000ms", "self-de-22000-32000ms")]


@pytest.mark.parametrize(("speech", "audio"), [("other_person", "calm"), ("other_language", "de")])
def test_out_of_distribution_speech_is_of_others(speech, audio):
    listed = found(speech=speech)
    of_one = [drive for identity, drive in listed if identity == "p1"]
    assert of_one[0] == f"audio-{audio}" and len(of_one) <= 3 and "audio-one" not in of_one
    given = plan(speech={"news": {"file": "news.wav", "language": "en" if speech == "other_person" else "ja"}})
    assert ("p1", "audio-news") in found(given, speech=speech)


def test_clips_that_are_not_made_yet_are_taken_as_they_come():
    demo = Plan(resolve({}, cuda=False))
    listed = cases(demo, Setting(title="t"), lambda clip: None)
    assert [(case.identity, case.drive, case.note) for case in listed] == [("demo", "self-demo", SAME_CLIP)]
    assert not cases(demo, Setting(title="t", amounts_s=[5, 10]), lambda clip: None)


def test_labels_of_clips_that_are_not_there_are_refused():
    with pytest.raises(ConfigError, match="labels names angry, which is no clip"):
        resolve(
            {"identities": {"me": {**TERMS, "video": "me.mp4", "labels": {"angry": {"emotion": "angry"}}}}}, cuda=False
        )
