"""Names that say what they stand for."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotag.people import TestPart
from emotag.project import resolve
from emotag.workflow.derived import base_of, derived_name, part_named
from emotag.workflow.identities import Plan

TERMS = {"source": "own recording", "licence": "own", "consent": "my own face"}
MS = st.integers(1000, 90_000).map(lambda ms: ms / 1000)


@given(start=st.none() | MS, seconds=st.none() | MS, clip=st.sampled_from(["a", "a-b", "a-1", "a-from-1"]))
def test_parts_are_read_back_from_their_names(start, seconds, clip):
    part = TestPart(clip=clip, start_s=start, seconds=seconds)
    found = part_named(part.name, ["a", "a-b", "a-1", "a-from-1"])
    assert found.name == part.name and found.clip == clip
    assert found.start_s == part.start_s and found.seconds == (None if seconds is None else pytest.approx(seconds))


def plan():
    identities = {
        "anna": {"clips": {"calm": "calm.mp4", "angry-2": "angry.mp4"}, "adapt_on": {"clip": "calm", "start_s": 2}},
        "ben": {"video": "ben.mp4"},
    }
    return Plan(resolve({"identities": {name: TERMS | own for name, own in identities.items()}}, cuda=False))


def test_derived_identity_is_the_person_on_other_seconds():
    name = derived_name("anna", "angry-2", 10)
    assert name == "anna--angry-2-10000ms" and base_of(name) == "anna" == plan().person(name)
    assert plan().adapt_clip(name) == "angry-2"
    job = SimpleNamespace(identity=name, clip="angry-2")
    assert (plan().start_s(job), plan().seconds(job)) == (0, 10)
    assert plan().clips_of("ben--ben-3000ms") == {"ben": "ben.mp4"} == plan().clips_of("ben")
    same = SimpleNamespace(identity="anna--calm-3000ms", clip="calm")
    assert (plan().start_s(same), plan().seconds(same)) == (2, 3)
    assert plan().facts(job) == plan().facts(job).replace("ben", "anna") and '"consent": "my own face"' in plan().facts(
        job
    )


@pytest.mark.parametrize("name", ["carl", "anna--ben-5000ms", "anna--calm", "anna--"])
def test_unknown_names_are_no_job(name):
    with pytest.raises(KeyError):
        plan().identity(name)


def test_other_peoples_clips_can_drive():
    job = SimpleNamespace(identity="anna", drive="audio-ben")
    assert plan().driving_audio(job) == "results/clips/ben/audio.wav"
    assert plan().driving_speech(job) == "results/clips/ben/speech.safetensors"
    with pytest.raises(KeyError):
        plan().driving_file("carl")
