"""A forgotten person: nothing made from them is left, searched by name and by content; others keep what is theirs."""

import fcntl
import json
from pathlib import Path

import numpy as np
import pytest

from emotag.artifacts import Corpus, Prior
from emotag.errors import ConfigError, StateBusy
from emotag.workflow.forget import forget

TREE = {
    "identities": {
        "anna": {"clips": {"a1": "a1.mp4", "a2": "films/a2.mp4"}},
        "anna-old": {"video": "old.mp4", "person": "anna"},
        "annabel": {"video": "annabel.mp4"},
        "ben": {"video": "ben.mp4"},
    }
}
# {person}: files as the rules name them.
FILES = {
    "anna": [
        "clips/a1/crop.mp4", "clips/a2/labels.mkv", "clips/anna-old/crop.mp4", "identities/anna/subject.safetensors",
        "identities/anna/a1/tracks.safetensors", "identities/anna/drives/self-a2/avatar/video.mp4",
        "identities/anna/drives/audio-talk/avatar/video.mp4", "identities/anna-old/avatar.safetensors",
        "state/adapt/anna/0123/checkpoint.pt", "state/adapt/anna-old/0123/progress.jsonl", "summary/anna.json",
        "summary/anna-old.json", "summary/.anna.json.x1", "report/results.md", "audio/talk/speech.safetensors",
        "audio/talk-calm/speech.safetensors", "logs/speech/audio-talk-calm.log",
        "logs/crop/a1.log", "logs/track/anna@a2.log", "logs/drive/anna@self-a2@avatar.log",
        "logs/drive/anna@self-a2-9500-13500ms@avatar.log", "logs/speech/audio-talk.log", "logs/adapt/anna-old.log",
        "identities/anna--a1-10000ms/avatar.safetensors", "identities/anna--a1-10000ms/drives/self-a2/truth.mp4",
        "logs/adapt/anna--a1-10000ms.log", "variants/no_gate/identities/anna/avatar.safetensors",
        "variants/no_gate/identities/anna-old--anna-old-3000ms/drives/self-anna-old/metrics.parquet",
        "variants/no_gate/state/adapt/anna/0123/checkpoint.pt", "variants/no_gate/logs/drive/anna@self-a2@avatar.log",
        "variants/no_gate/state/adapt/anna-old--anna-old-3000ms/0123/checkpoint.pt",
        "variants/no_gate/benchmarks/adapt/anna-old--anna-old-3000ms.jsonl", "variants/no_gate/speed/anna@self-a2.json",
        "speed/anna--a1-10000ms@self-a2.json", "tables/cost.csv", "tables/cost.json",
        "benchmarks/crop/a2.jsonl", "benchmarks/render/anna@audio-talk@avatar.jsonl", "benchmarks/summary/anna@x.jsonl",
    ],
    "ben": [
        "variants/no_gate/identities/ben/avatar.safetensors", "variants/no_gate/identities/annabel--annabel-5000ms/x.json",
        "variants/no_gate/prior/synthetic/all/prior.safetensors", "speed/annabel@self-annabel.json",
        "variants/no_gate/logs/adapt/ben.log",
        "clips/ben/crop.mp4", "clips/annabel/crop.mp4", "identities/ben/subject.safetensors",
        "identities/annabel/subject.safetensors", "state/adapt/ben/0123/checkpoint.pt", "summary/ben.json",
        "audio/news/speech.safetensors", "identities/ben/drives/audio-news/avatar/video.mp4", "logs/crop/ben.log",
        "logs/crop/annabel.log", "logs/pretrain/synthetic@all.log", "benchmarks/crop/ben.jsonl", "head/head.safetensors",
        "corpus/synthetic/all.safetensors", "prior/synthetic/all/prior.safetensors", "logs/head/shared.log",
    ],
}  # fmt: skip


@pytest.fixture
def results(tmp_path: Path) -> Path:
    for person, files in FILES.items():
        for file in files:
            path = tmp_path / "results" / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"made of {'annas face' if person == 'anna' else 'another face'}")
    shared = tmp_path / "results/benchmarks/page/shared.jsonl"
    shared.parent.mkdir()
    shared.write_text('{"input": ["results/summary/ben.json", "results/summary/anna.json"], "what": "annas face"}')
    return tmp_path / "results"


def left(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def run(results: Path, name: str = "anna", **more) -> list[str]:
    return forget(name, TREE, results=results, snakemake=results.parent / ".snakemake", **more)


def test_what_a_killed_job_said_of_itself_goes_too(results):
    for name in ("anna", "annabel"):
        file = results / "state/running" / f"{name[::-1]}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps({"stage": "adapt", "out": f"results/identities/{name}/avatar.safetensors"}) + "\n")
    run(results)
    assert [file.name for file in (results / "state/running").iterdir()] == ["lebanna.jsonl"]


@pytest.mark.parametrize("name", ["anna", "anna-old"])
def test_nothing_of_the_person_is_left_and_all_of_others_is(results, name):
    lines = run(results, name)
    assert left(results) == set(FILES["ben"])
    assert not any("annas face" in path.read_text() for path in results.rglob("*") if path.is_file())
    assert "films/a2.mp4" in lines[-1] and "not touched" in lines[-1]


def test_it_is_known_from_the_results_alone(results):
    """Whoever was taken out of the configuration first can still be forgotten."""
    forget("ben", {}, results=results, snakemake=results)
    assert not [file for file in left(results) if "/ben" in file.replace("/benchmarks", "")]
    assert {"clips/a1/crop.mp4", "identities/annabel/subject.safetensors"} <= left(results)


def material(people: dict[str, str], path: Path) -> None:
    one = {clip: np.zeros((2, 3), np.float32) for clip in people}
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.name == "prior.safetensors":
        Prior("h", ["x"], {"w": np.zeros(1)}, {}, {}, sorted(set(people.values()))).save(path)
    else:
        Corpus("h", ["x"], one, one, one, one, one, one, people, dict.fromkeys(people, 0.0), "clips").save(path)


def test_corpora_priors_and_avatars_that_hold_the_person_go_too(results):
    with_her, without = {"a1": "anna", "ben": "ben"}, {"ben": "ben"}
    for left_out, people in (("all", with_her), ("without-ben", with_her), ("without-anna", without), ("x", without)):
        material(people, results / f"corpus/clips/{left_out}.safetensors")
        material(people, results / f"prior/clips/{left_out}/prior.safetensors")
        for stage in ("pretrain", "pretrain_rendered"):
            (results / f"state/{stage}/clips/{left_out}/0123").mkdir(parents=True)
        logs = (f"pretrain/clips@{left_out}.log", f"pretrain_rendered/clips@{left_out}.log")
        for log in (f"corpus_clips/{left_out}.log", *logs):
            (results / "logs" / log).parent.mkdir(parents=True, exist_ok=True)
            (results / "logs" / log).write_text("people: 2")
    avatars = [results / f"identities/{name}/avatar.safetensors" for name in ("ben", "annabel")]
    for avatar in avatars:
        avatar.write_text("begun with a prior")
    priors = {name: str(results / f"prior/clips/{which}/prior.safetensors") for name, which in
              (("ben", "without-ben"), ("annabel", "x"))}  # fmt: skip
    run(results, prior_of=priors)
    assert [path.name for path in (results / "corpus/clips").iterdir()] == ["x.safetensors"]
    assert [path.parent.name for path in results.glob("prior/clips/*/*")] == ["x"]
    for stage in ("pretrain", "pretrain_rendered"):
        assert [path.name for path in (results / f"state/{stage}/clips").iterdir()] == ["x"]
    assert sorted(path.name for path in results.glob("logs/pretrain_rendered/*")) == ["clips@x.log"]
    assert sorted(path.name for path in results.glob("logs/corpus_clips/*")) == ["x.log"]
    assert sorted(path.name for path in results.glob("logs/pretrain/*")) == ["clips@x.log", "synthetic@all.log"]
    assert not avatars[0].exists() and not (results / "identities/ben/drives").exists()
    assert avatars[1].exists() and (results / "identities/ben/subject.safetensors").exists()


def test_written_configurations_lose_the_entry(results):
    (results / "bench.yaml").write_text(json.dumps(TREE))
    run(results)
    text = (results / "bench.yaml").read_text()
    assert "a1.mp4" not in text and "old.mp4" not in text and "ben.mp4" in text


def test_twice_is_as_good_as_once_and_nobody_is_an_error(results):
    run(results)
    assert run(results)[0].startswith("0 files")
    with pytest.raises(ConfigError, match="nobody: neither declared"):
        run(results, "nobody")
    for name in ("../ben", "", "a b", "*"):
        with pytest.raises(ConfigError, match="is not a name"):
            run(results, name)
    assert left(results) == set(FILES["ben"])


def test_a_running_training_is_not_pulled_away(results):
    lock = results / "state/adapt/anna/0123/lock"
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        before = left(results)
        with pytest.raises(StateBusy, match="a training is running"):
            run(results)
        assert left(results) == before


def test_links_are_removed_and_not_followed(results, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/film.mp4").write_text("the footage")
    (results / "clips/a1/source").symlink_to(tmp_path / "elsewhere")
    (results / "clips/anna").symlink_to(tmp_path / "elsewhere")
    run(results)
    assert (tmp_path / "elsewhere/film.mp4").exists()
