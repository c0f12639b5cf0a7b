"""Joining corpora: every clip once, nothing changed, and what does not fit together is refused."""

from dataclasses import replace

import numpy as np
import pytest

from emotag.artifacts import Corpus
from emotag.errors import ArtifactMismatch
from emotag.motion import corpora


def corpus_of(clips, provider="clips", features=4):
    rng = np.random.default_rng(len(clips))
    sizes = {"motion": (5, 2), "action_units": (5, 6), "emotion": (5, 7), "prosody": (10, 3)}
    sizes |= {"identity": (3,), "features": (10, features)}
    return Corpus(
        head_model="test",
        motion_names=["mouthFunnel", "jaw_x"],
        **{name: {clip: rng.normal(size=size) for clip in clips} for name, size in sizes.items()},
        people={clip: f"person of {clip}" for clip in clips},
        offset_frames=dict.fromkeys(clips, 1.5),
        provider=provider,
    )


def test_every_clip_comes_through_unchanged():
    parts = [corpus_of(["a", "b"]), corpus_of(["c"], "synthetic/whisper/1")]
    joint = corpora.join(parts)
    assert list(joint.motion) == ["a", "b", "c"] and joint.provider == "clips+synthetic/whisper/1"
    for part in parts:
        for name in corpora.ARRAYS:
            assert all(getattr(joint, name)[clip] is value for clip, value in getattr(part, name).items())
    assert corpora.join(parts[:1]).motion == parts[0].motion
    assert [corpora.is_synthetic(part) for part in parts] == [False, True]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (corpus_of(["c"], features=5), "5 features"),
        (replace(corpus_of(["c"]), head_model="flame"), "flame"),
        (corpus_of(["a"]), "found a in more than one"),
        (replace(corpus_of(["c"]), people={"c": "person of a"}), "found person of a in more than one"),
    ],
)
def test_corpora_that_do_not_fit_are_refused(other, message):
    with pytest.raises(ArtifactMismatch, match=message):
        corpora.join([corpus_of(["a"]), other])


def test_an_open_corpus_is_the_loaded_one_and_joins_without_being_read(tmp_path, monkeypatch):
    parts = [corpus_of(["a", "b"]), corpus_of(["c"])]
    for number, part in enumerate(parts):
        part.save(tmp_path / str(number))
    opened = [Corpus.open(tmp_path / str(number)) for number in range(2)]
    with monkeypatch.context() as patched:
        patched.setattr("emotag.io.tensors.read_into", None)
        joint = corpora.join(opened)
    for name in ("motion", "features", "identity"):
        whole = {clip: value for part in parts for clip, value in getattr(part, name).items()}
        assert all(np.array_equal(np.asarray(getattr(joint, name)[clip]), value) for clip, value in whole.items())
    joint.save(tmp_path / "joint")
    corpora.join(parts).save(tmp_path / "again")
    assert (tmp_path / "joint").read_bytes() == (tmp_path / "again").read_bytes()
