"""SyncNet's self-test: the scores are those of whole features, and what is not the published clip or number is said."""

import numpy as np
import pytest
import torch

from emotag.bench import __main__ as bench
from emotag.bench import sync_check
from emotag.errors import FootageError
from emotag.io.audio import read_audio
from emotag.io.video import read_frames
from emotag.io.video_writer import write_video
from emotag.metrics import syncnet


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(syncnet.SyncNet().state_dict(), path)
    return path


def film(path, size):
    random = np.random.default_rng(0)
    frames = (
        np.kron(random.integers(0, 255, (7, 7, 3), np.uint8), np.ones((size // 7, size // 7, 1), np.uint8))
        for _ in range(12)
    )
    write_video(path, frames, fps=25, crf=18, audio=random.normal(0, 0.1, 12 * 640).astype(np.float32))
    return path


def test_whole_frames_are_the_faces(model, tmp_path, capsys):
    clip = film(tmp_path / "example.mp4", 224)
    network = syncnet.load(model)
    faces = np.stack([frame[..., ::-1] for frame in read_frames(clip)])
    wanted = syncnet.scores(*syncnet.features(network, faces, read_audio(clip)))
    found = sync_check.run(model, clip)
    assert {name: row["found"] for name, row in found.items()} == pytest.approx(wanted)
    # A random network does not have the published numbers, and the command says so.
    code = bench.main(["syncnet", "--model", str(model), "--clip", str(clip), "--json", str(tmp_path / "found.json")])
    said = capsys.readouterr().out
    assert code == 1 and "FAULT sync_c" in said and "10.021" in said and (tmp_path / "found.json").is_file()


def test_published_numbers_pass_and_missing_ones_do_not():
    rows = {
        name: {"found": value, "published": value, "tolerance": sync_check.TOLERANCE[name]}
        for name, value in sync_check.PUBLISHED.items()
    }
    assert not sync_check.faults(rows)
    rows["sync_e"]["found"] += 0.2
    rows["sync_c"]["found"] = float("nan")
    assert [fault.split(":")[0] for fault in sync_check.faults(rows)] == ["sync_e", "sync_c"]


def test_another_clip_is_refused(model, tmp_path, capsys):
    clip = film(tmp_path / "other.mp4", 112)
    with pytest.raises(FootageError, match="found 112x112 at 25 fps, expected 224x224 at 25"):
        sync_check.run(model, clip)
    assert bench.main(["syncnet", "--model", str(tmp_path / "no.model"), "--clip", str(clip)]) == 2
    assert "no.model" in capsys.readouterr().err
