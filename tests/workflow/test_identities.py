"""Which files and jobs belong to an identity."""

import json
from types import SimpleNamespace

from emotag.project import resolve
from emotag.workflow.identities import Plan

TERMS = {"source": "own recording", "licence": "own", "consent": "my own face"}


def plan(corpus=(), more=None, **identities) -> Plan:
    settings = {name: {**TERMS, **identity} for name, identity in identities.items()}
    return Plan(resolve({"identities": settings, "corpus": {"clips": list(corpus)}, **(more or {})}, cuda=False))


def test_shared_work_is_that_of_the_prior_in_use():
    assert plan().shared_jobs("demo") == [
        "head/shared", "demo/shared", "lips/shared", "corpus/shared", "actors/shared",
        "pretrain/synthetic@all@shared",
    ]  # fmt: skip
    mine = plan(["me", "you"], me={"video": "me.mp4"}, you={"video": "you.mp4"})
    assert mine.shared_jobs("me") == [
        "head/shared", "lips/shared", "corpus_clips/without-me@shared", "actors/shared",
        "pretrain/clips@without-me@shared",
    ]  # fmt: skip
    assert mine.priors.of("me") == "results/prior/clips/without-me/prior.safetensors"
    assert mine.shared_jobs("demo")[-1] == "pretrain/clips@all@shared"


def test_a_rendered_phase_sees_everybody_but_the_person():
    rendered = {"pretrain": {"rendered": {"iterations": 9}}}
    mine = plan(["me", "you"], rendered, me={"video": "me.mp4"}, you={"video": "you.mp4"})
    assert mine.priors.of("me") == "results/prior/clips/without-me/rendered.safetensors"
    assert mine.shared_jobs("demo")[-2:] == ["pretrain/clips@all@shared", "pretrain_rendered/clips@all@shared"]
    of_me = SimpleNamespace(corpus="clips", left_out="without-me")
    assert mine.priors.people(of_me) == ["you"] and mine.priors.clips(of_me) == ["you"]
    assert mine.priors.rendered_file(of_me, "geometry.safetensors") == ["results/identities/you/geometry.safetensors"]
    assert mine.priors.rendered_file(of_me, "crop.mp4") == ["results/clips/you/crop.mp4"]
    assert mine.priors.first_phase(of_me) == "results/prior/clips/without-me/prior.safetensors"
    talkers = plan((), rendered)
    assert talkers.priors.of("demo") == "results/prior/synthetic/all/rendered.safetensors"
    assert talkers.priors.of("syn02") == "results/prior/synthetic/without-syn02/rendered.safetensors"
    of_two = SimpleNamespace(corpus="synthetic", left_out="without-syn02")
    assert len(talkers.priors.people(of_two)) == 11 and "syn02" not in talkers.priors.people(of_two)
    assert talkers.priors.first_phase(of_two) == "results/prior/synthetic/all/prior.safetensors"


def test_what_is_tested_on_where_nothing_is_named():
    mine = plan(one={"video": "one.mp4"}, two={"clips": {"a": "a.mp4", "b": "b.mp4"}, "adapt_on": {"clip": "a"}})
    assert mine.drives("one") == ["self-one"] and mine.drives("two") == ["self-b"]


def test_parts_of_clips_are_drives_of_their_own():
    parts = ["b", {"clip": "b", "start_s": 2, "seconds": 1.5}, {"clip": "a", "seconds": 3}, {"clip": "a", "start_s": 9}]
    mine = plan(
        me={"clips": {"a": "a.mp4", "b": "b.mp4"}, "adapt_on": {"clip": "a", "start_s": 1}, "test_on": parts},
        you={"video": "c.mp4", "test_on": [{"start_s": 8, "seconds": 4}]},
    )
    drives = ["self-b", "self-b-2000-3500ms", "self-a-first-3000ms", "self-a-from-9000ms"]
    assert mine.drives("me") == drives and mine.test_clips("me") == ["b", "a"]
    assert mine.drives("you") == ["self-you-8000-12000ms"]
    part, other = (SimpleNamespace(identity="me", drive=drives[1]), SimpleNamespace(identity="me", drive="audio-x"))
    assert mine.cue_clip("me", part.drive) == "b"
    assert mine.driving_audio(part) == "results/clips/b/audio.wav"
    assert mine.driving_speech(part) == "results/clips/b/speech.safetensors"
    assert json.loads(mine.test_part(part)) == {"start_s": 2, "seconds": 1.5}
    assert json.loads(mine.test_part(other)) == {"start_s": None, "seconds": None}
    assert mine.own_names("me", part.drive) == ["me", "a", "b", part.drive]
