"""A clip of the synthetic corpus: the same bytes for a seed, and a truth that agrees with itself."""

from pathlib import Path

import numpy as np
import pytest

from emotag.artifacts import Tracks, Truth
from emotag.config import SyntheticClipConfig
from emotag.io.artifact import read_json, write_json
from emotag.io.audio import read_audio
from emotag.io.video import read_frames, read_gray
from emotag.stages import realism_table, synthetic_clip
from emotag.tracking.regions import INDEX

TAKES = Path(__file__).resolve().parents[2] / "data" / "takes"
CONFIG = SyntheticClipConfig(seconds=2, size_px=128, geometry_px=64, geometry_every=25)
NAMES = ("video.mp4", "tracks.safetensors", "truth.safetensors", "labels.mkv")


def make(head_file, folder):
    folder.mkdir()
    video, tracks, truth, labels = (folder / name for name in NAMES)
    synthetic_clip.run(
        head=head_file, speech=TAKES / "speaker04.json", identity=4, clip=4, out=video, tracks=tracks, truth=truth,
        labels=labels, config=CONFIG,
    )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def made(head_file, tmp_path_factory):
    return make(head_file, tmp_path_factory.mktemp("synthetic") / "one")


def test_a_seed_gives_the_same_bytes(head_file, made):
    again = make(head_file, made.parent / "two")
    for name in NAMES:
        assert (again / name).read_bytes() == (made / name).read_bytes(), name


def test_all_parts_have_the_clip_s_length(made):
    truth, tracks = Truth.load(made / "truth.safetensors"), Tracks.load(made / "tracks.safetensors")
    labels = list(read_gray(made / "labels.mkv"))
    assert len(labels) == len(list(read_frames(made / "video.mp4"))) == len(tracks.jaw) == len(truth.lips) == 50
    assert len(read_audio(made / "video.mp4")) == pytest.approx(2 * 16_000, abs=1024)
    assert (truth.person, truth.emotion, truth.level) == ("syn04", "happy", 3)
    assert truth.phone_times[-1, 1] == 2 and len(truth.phones) == len(truth.phone_times)


def test_labels_depth_and_normals_tell_of_the_same_head(made):
    truth = Truth.load(made / "truth.safetensors")
    labels = np.stack(list(read_gray(made / "labels.mkv")))[truth.geometry_frames][:, 1::2, 1::2]
    seen = labels != INDEX["background"]
    assert (seen == (truth.depth > 0)).mean() > 0.98
    assert set(np.unique(labels)) >= {INDEX[name] for name in ("torso", "neck", "skin", "hair", "lips")}
    length = np.linalg.norm(truth.normal[seen & (truth.depth > 0)].astype(float), axis=1)
    assert np.percentile(np.abs(length - 127), 99) < 2
    distance = -Tracks.load(made / "tracks.safetensors").translation[:, 2].mean()
    skin = truth.depth[labels == INDEX["skin"]].astype(float)
    assert distance - 0.15 < np.median(skin) < distance


def test_the_table_has_a_row_an_emotion_and_one_for_all(tmp_path):
    clips = []
    for number, (emotion, level) in enumerate((("happy", 3), ("happy", 3), ("neutral", 0))):
        clips.append(tmp_path / f"{number}.json")
        write_json(clips[-1], {"emotion": emotion, "level": level} | dict.fromkeys(realism_table.MEANS, 0.2 * number))
    assert read_json(clips[0])["emotion"] == "happy"
    realism_table.run(clips=clips, out=tmp_path / "table.csv")
    lines = (tmp_path / "table.csv").read_text().splitlines()
    assert lines[1].startswith("happy,3,2,0.1") and lines[2].startswith("neutral,0,1,0.4")
    assert lines[3].startswith("all,,3,0.2")
