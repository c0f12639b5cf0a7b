"""Which drive shows the emotion that is set or heard, and when emotion is learnt at all."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from emotag.errors import ConfigError
from emotag.moods import MoodsConfig
from emotag.project import check_files, resolve
from emotag.workflow.identities import Plan
from emotag.workflow.moods import actors, moods, timeline

ACTORS = ["results/corpus/synthetic/actors.safetensors"]


def config(**settings):
    return resolve({"preset": "laptop", **settings}, cuda=False)


def test_emotion_is_for_the_audio_and_the_identity_that_it_stands_beside():
    mine = config(adapt={"drive": {"audio": "a b.wav"}, "emotion": {"label": "sad", "level": 2}})
    assert moods(mine, "demo", "audio-a-b") == [{"label": "sad", "level": 2, "from_s": 0.0}]
    assert (
        moods(mine, "demo", "audio-other") == moods(mine, "me", "audio-a-b") == moods(mine, "demo", "self-demo") == []
    )
    assert MoodsConfig(**json.loads(timeline(mine, "demo", "audio-a-b"))).timeline == mine.adapt.emotion
    facts = json.loads(Plan(mine).facts(SimpleNamespace(identity="demo", drive="audio-a-b")))
    assert facts["emotion"] == moods(mine, "demo", "audio-a-b")
    assert "emotion" not in json.loads(Plan(mine).facts(SimpleNamespace(identity="demo", drive="self-demo")))


def test_emotion_is_heard_against_a_calm_recording_of_the_voice():
    plan = Plan(config(adapt={"drive": {"audio": "a b.wav", "calm": "rest/a b.wav"}}))
    ours, other, own = (
        SimpleNamespace(identity="demo", drive=drive) for drive in ("audio-a-b", "audio-c", "self-demo")
    )
    assert plan.calm_speech(ours) == ["results/audio/a-b-calm/speech.safetensors"]
    assert plan.calm_speech(other) == plan.calm_speech(own) == []
    assert plan.driving_file("a-b-calm") == "rest/a b.wav" and plan.driving_file("a-b") == "a b.wav"
    said = [json.loads(plan.facts(drive)).get("emotion") for drive in (ours, other, own)]
    assert said == ["heard, against a b.wav", "not heard: no calm recording of the voice is named", None]
    without = Plan(config(adapt={"drive": {"audio": "a b.wav"}}))
    assert without.calm_speech(ours) == [] and without.drives("demo") == plan.drives("demo")


def test_what_is_set_is_not_heard():
    with pytest.raises(ConfigError, match=r"emotion is set, and drive.calm is for emotion that is heard"):
        config(adapt={"drive": {"audio": "a.wav", "calm": "b.wav"}, "emotion": {"label": "sad", "level": 2}})


def test_a_calm_recording_that_is_not_there_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.wav").touch()
    with pytest.raises(ConfigError, match=r"adapt.drive.calm: b.wav does not exist"):
        check_files(config(adapt={"drive": {"audio": "a.wav", "calm": "b.wav"}}))


@pytest.mark.parametrize(
    ("pretrain", "made"),
    [({}, ACTORS), ({"ridge": False}, []), ({"emotion_iterations": 0}, []), ({"residual": "none"}, [])],
)
def test_actors_are_made_where_emotion_is_learnt(pretrain, made):
    assert actors(config(pretrain=pretrain)) == made
