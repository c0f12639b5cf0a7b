"""Manifests: what fits, what is there, and what becomes of it in the configuration."""

import hashlib
from pathlib import Path

import pytest
import yaml

from emotag import manifest
from emotag.__main__ import main
from emotag.errors import ConfigError
from emotag.project import resolve
from emotag.workflow.corpora import as_yaml, manifest_of

SHIPPED = sorted((Path(__file__).resolve().parents[1] / "data" / "corpora").glob("*.yaml"))
TERMS = {"source": "here", "licence": "own", "consent": "given"}


def written(folder, clips, **more):
    path = folder / "corpus.yaml"
    path.write_text(yaml.safe_dump({"id": "mine", "root": str(folder), "clips": clips, **TERMS, **more}))
    return path


def touch(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"video")


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_manifests_fit(path):
    listed = manifest.load(path)
    assert listed.id == path.stem and {entry.split for entry in listed.clips} >= {"train", "test"}


def test_the_papers_emotional_setting():
    clips = manifest.load(next(path for path in SHIPPED if path.stem == "mead_emotional")).clips
    people = {
        emotion: {entry.person for entry in clips if entry.emotion == emotion} for emotion in {e.emotion for e in clips}
    }
    assert (
        len(people) == 5 and all(len(ids) == 2 for ids in people.values()) and len(set().union(*people.values())) == 10
    )
    assert {entry.level for entry in clips} == {1, 2, 3}


def test_only_what_is_there_is_trained_on(tmp_path):
    clips = [
        {"id": "a1", "person": "ann", "clip": "a1.mp4", "seconds": 3.0},
        {"id": "a2", "person": "ann", "clip": "a2.mp4", "emotion": "neutral", "level": 0},
        {"id": "b1", "person": "bob", "clip": "b1.mp4", "split": "test"},
        {"id": "c1", "person": "cat", "clip": "c1.mp4"},
    ]
    for name in ("a1", "a2", "b1"):
        touch(tmp_path / f"{name}.mp4")
    path = written(tmp_path, clips)
    config = resolve({"corpus": {"manifest": str(path)}})
    assert config.corpus.clips == ["a1", "a2"]
    ann = config.identities["mine-ann"]
    assert ann.adapt_on.clip == "a2" and ann.person == "ann" and set(ann.clips) == {"a1", "a2"}
    assert "mine-bob" in config.identities and "mine-cat" not in config.identities
    assert manifest.coverage(manifest.load(path))[0].endswith("3 of 4 clips, 2 of 3 people, 3 s")


def test_short_clips_are_adapted_on_as_far_as_they_go(tmp_path):
    touch(tmp_path / "a.mp4")
    listed = manifest.load(written(tmp_path, [{"id": "a", "person": "ann", "clip": "a.mp4", "seconds": 2.5}]))
    assert manifest.identities(listed)["mine-ann"]["adapt_on"] == {"clip": "a", "seconds": 2.5}


@pytest.mark.parametrize(
    ("clips", "complaint"),
    [
        ([{"id": "a", "person": "p", "clip": "a.mp4"}] * 2, "listed twice"),
        ([{"id": "a", "person": "p", "clip": "a.mp4", "emotion": "hapy"}], "emotion"),
        ([{"id": "a", "person": "p", "clip": "a.mp4", "level": 4}], "level"),
        ([{"id": "a", "person": "p", "clip": "a.mp4", "sha256": "12"}], "sha256"),
        ([], "clips"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, clips, complaint):
    with pytest.raises(ConfigError, match=complaint):
        manifest.load(written(tmp_path, clips))


def test_nothing_there_is_an_error(tmp_path):
    path = written(tmp_path, [{"id": "a", "person": "p", "clip": "a.mp4"}])
    with pytest.raises(ConfigError, match="none of the training clips"):
        resolve({"corpus": {"manifest": str(path)}})
    with pytest.raises(ConfigError, match="cannot be read"):
        resolve({"corpus": {"manifest": str(tmp_path / "no.yaml")}})


def test_a_wrong_file_is_found_by_its_digest(tmp_path, capsys):
    touch(tmp_path / "a.mp4")
    right = hashlib.sha256(b"video").hexdigest()
    entry = {"id": "a", "person": "p", "clip": "a.mp4"}
    assert main(["corpus", str(written(tmp_path, [entry | {"sha256": right}]))]) == 0
    assert main(["corpus", str(written(tmp_path, [entry | {"sha256": "0" * 64}]))]) == 2
    assert "expected 000000000000" in capsys.readouterr().out


def test_mead_folders(tmp_path):
    for name in ("M003/video/front/angry/level_3/001.mp4", "M003/video/front/neutral/level_1/004.mp4",
                 "M003/video/left_30/angry/level_3/001.mp4", "W009/video/front/surprised/level_2/010.mp4"):  # fmt: skip
        touch(tmp_path / name)
    found = manifest_of(tmp_path, "mead")
    assert [(e.id, e.person, e.emotion, e.level) for e in found.clips] == [
        ("M003-angry-3-001", "M003", "angry", 3),
        ("M003-neutral-1-004", "M003", "neutral", 0),
        ("W009-surprised-2-010", "W009", "surprise", 2),
    ]
    assert len(found.present()) == 3


def test_hdtf_folders(tmp_path):
    (tmp_path / "WRA_annotion_time.txt").write_text("TomPrice.mp4 00:08-00:40\nPaulRyan0.mp4 00:30-00:58 06:00-07:00\n")
    for name in ("clips/WRA_PaulRyan0_1.mp4", "clips/TomPrice_0.mp4", "clips/notes.mp4"):
        touch(tmp_path / name)
    found = {entry.id: entry for entry in manifest_of(tmp_path, "hdtf").clips}
    assert {name: (e.person, e.seconds) for name, e in found.items()} == {
        "WRA_PaulRyan0_1": ("PaulRyan", 60.0), "TomPrice_0": ("TomPrice", 32.0),
    }  # fmt: skip


def test_a_folder_s_manifest_can_be_read_again(tmp_path, capsys):
    touch(tmp_path / "TomPrice_0.mp4")
    out = tmp_path / "hdtf.yaml"
    assert main(["corpus", str(tmp_path), "--form", "hdtf", "--out", str(out)]) == 0
    assert (
        manifest.load(out).clips == manifest_of(tmp_path, "hdtf").clips
        and as_yaml(manifest.load(out)) == out.read_text()
    )
    assert "1 of 1 clips" in capsys.readouterr().out
    assert main(["corpus", str(tmp_path / "none"), "--form", "mead"]) == 2
