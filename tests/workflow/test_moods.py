"""Which drive shows the emotion that is set, and when emotion is learnt at all."""

import json
from types import SimpleNamespace

import pytest

from emotag.moods import MoodsConfig
from emotag.project import resolve
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


@pytest.mark.parametrize(
    ("pretrain", "made"),
    [({}, ACTORS), ({"ridge": False}, []), ({"emotion_iterations": 0}, []), ({"residual": "none"}, [])],
)
def test_actors_are_made_where_emotion_is_learnt(pretrain, made):
    assert actors(config(pretrain=pretrain)) == made
