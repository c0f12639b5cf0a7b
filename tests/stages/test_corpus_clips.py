"""Gathering a corpus from the artifacts of several clips."""

import json

import numpy as np
import pytest

from emotag.artifacts import ActionUnits, Corpus, Emotion, Identity, Speech, Tracks
from emotag.errors import ArtifactMismatch, ConfigError
from emotag.stages import corpus_clips

rng = np.random.default_rng(0)
AUS = ["AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU12", "AU45"]


def clip_files(folder, frames, head="makehuman"):
    folder.mkdir()
    turns = {
        name: np.zeros((frames, size)) for name, size in (("neck", 3), ("eyes", 6), ("rotation", 3), ("translation", 3))
    }
    tracks = Tracks(
        head_model=head,
        expression_names=["mouthClose"],
        shape=np.zeros(2),
        expression=rng.uniform(size=(frames, 1)),
        jaw=rng.normal(size=(frames, 3)),
        camera={},
        landmark_error=np.zeros((frames, 478)),
        interpolated=np.zeros(frames, bool),
        **turns,
    )
    tokens = rng.normal(size=(2 * frames, 4))
    artifacts = {
        "tracks": tracks,
        "action_units": ActionUnits(AUS, np.tile(np.arange(8.0), (frames, 1)), "expression"),
        # one frame fewer than was tracked: the shortest counts
        "emotion": Emotion(np.full((frames - 1, 7), 1 / 7), "fer"),
        "identity": Identity(np.ones(5), [0], "shape"),
        "speech": Speech(tokens, tokens[:, 0], tokens[:, 1], tokens[:, 2], "whisper", "1"),
    }
    for name, artifact in artifacts.items():
        artifact.save(folder / name)
    (folder / "sync").write_text(json.dumps({"offset_frames": 1.5}))
    return {name: folder / name for name in (*artifacts, "sync")}


def gather(tmp_path, people, heads=("makehuman",) * 3, leave_out=""):
    clips = ["a", "b", "c"]
    rows = [clip_files(tmp_path / clip, 10 + n, heads[n]) for n, clip in enumerate(clips)]
    lists = {name: [row[name] for row in rows] for name in rows[0]}
    corpus_clips.run(clips=clips, people=people, **lists, out=tmp_path / "corpus", leave_out=leave_out)
    return Corpus.load(tmp_path / "corpus")


def test_leaves_one_person_out_and_keeps_what_belongs_together(tmp_path):
    corpus = gather(tmp_path, ["x", "y", "x"], leave_out="y")
    assert sorted(corpus.motion) == ["a", "c"] and corpus.people == {"a": "x", "c": "x"}
    assert corpus.motion_names == ["mouthClose", "jaw_x", "jaw_y", "jaw_z"]
    tracks = Tracks.load(tmp_path / "c" / "tracks")
    assert np.allclose(corpus.motion["c"], np.concatenate([tracks.expression, tracks.jaw], 1)[:11])
    assert corpus.action_units["a"][0].tolist() == [0, 2, 3, 4, 5, 7]
    assert corpus.prosody["a"].shape == (20, 3) and corpus.offset_frames["a"] == 1.5


def test_nobody_left_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="name clips of other people"):
        gather(tmp_path, ["x", "x", "x"], leave_out="x")


def test_different_heads_are_refused(tmp_path):
    with pytest.raises(ArtifactMismatch, match="flame, makehuman"):
        gather(tmp_path, ["x", "y", "z"], heads=("makehuman", "flame", "makehuman"))
