"""SyncNet's halves window by window, its offset search on features with a known lag, and its face crop."""

import numpy as np
import pytest
import torch

from emotag.audio.mfcc import mfcc
from emotag.errors import ArtifactMismatch
from emotag.head.landmark_sets import FACE_OVAL
from emotag.metrics import syncnet


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A state as before torch 0.4.1 saved it: no counters, no zip."""
    torch.manual_seed(0)
    network = syncnet.SyncNet()
    state = {name: value for name, value in network.state_dict().items() if not name.endswith("num_batches_tracked")}
    path = tmp_path_factory.mktemp("syncnet") / "syncnet_v2.model"
    torch.save(state, path, _use_new_zipfile_serialization=False)
    return path


def test_names_and_shapes_are_the_published_ones(file):
    state = syncnet.load(file).state_dict()
    shapes = {
        "netcnnaud.0.weight": (64, 1, 3, 3), "netcnnaud.4.weight": (192, 64, 3, 3), "netcnnaud.8.weight": (384, 192, 3, 3),
        "netcnnaud.11.weight": (256, 384, 3, 3), "netcnnaud.14.weight": (256, 256, 3, 3),
        "netcnnaud.18.weight": (512, 256, 5, 4),
        "netcnnlip.0.weight": (96, 3, 5, 7, 7), "netcnnlip.4.weight": (256, 96, 1, 5, 5),
        "netcnnlip.8.weight": (256, 256, 1, 3, 3),
        "netcnnlip.14.weight": (256, 256, 1, 3, 3), "netcnnlip.18.weight": (512, 256, 1, 6, 6),
        "netcnnlip.19.bias": (512,),
        "netfcaud.0.weight": (512, 512), "netfcaud.1.running_var": (512,), "netfclip.3.weight": (1024, 512),
    }  # fmt: skip
    assert {name: tuple(state[name].shape) for name in shapes} == shapes


def test_whole_runs_give_what_windows_give(file, monkeypatch):
    network = syncnet.load(file)
    rng = np.random.default_rng(0)
    faces = rng.integers(0, 255, (9, 224, 224, 3), np.uint8)
    samples = rng.normal(0, 0.1, 9 * 640).astype(np.float32)
    monkeypatch.setattr(syncnet, "BATCH", 3)
    lips, sound = syncnet.features(network, faces, samples)
    assert lips.shape == sound.shape == (4, 1024)
    cepstra = torch.from_numpy(mfcc(np.round(samples * 32768))).float().T
    with torch.no_grad():
        for t in (0, 3):
            window = torch.from_numpy(faces[t : t + 5]).float().permute(3, 0, 1, 2)
            mid = network.netcnnlip(window[None]).flatten(1)
            np.testing.assert_allclose(lips[t], network.netfclip(mid)[0], atol=1e-4)
            mid = network.netcnnaud(cepstra[None, None, :, 4 * t : 4 * t + 20]).flatten(1)
            np.testing.assert_allclose(sound[t], network.netfcaud(mid)[0], atol=1e-4)


@pytest.mark.parametrize("late", [-4, 0, 6])
def test_offset_of_a_late_video(late):
    """Lips at frame t show what is heard at t - late."""
    generator = torch.Generator().manual_seed(0)
    sound = torch.randn(120, 1024, generator=generator)
    lips = torch.roll(sound, late, 0)
    found = syncnet.scores(lips, sound)
    assert found["sync_offset"] == late
    assert found["sync_e"] < 5 and found["sync_c"] > 30
    other = syncnet.scores(torch.randn(120, 1024, generator=generator), sound)
    assert other["sync_c"] < 0.1 * found["sync_c"] and other["sync_e"] > found["sync_e"]


def test_scores_are_those_of_the_distances_one_by_one():
    """Every pair of lips and sound by itself; beyond the ends there is silence, features of nought."""
    lips, sound = np.random.default_rng(3).normal(size=(2, 24, 1024)).astype(np.float32)
    sound[3:] += 0.7 * lips[:-3]
    means = []
    for shift in range(-15, 16):
        heard = [sound[t + shift] if 0 <= t + shift < 24 else np.zeros(1024) for t in range(24)]
        means.append(np.mean([np.linalg.norm(seen - one) for seen, one in zip(lips, heard, strict=True)]))
    found = syncnet.scores(torch.from_numpy(lips), torch.from_numpy(sound))
    assert found["sync_e"] == pytest.approx(min(means), rel=1e-4)
    assert found["sync_c"] == pytest.approx(np.median(means) - min(means), rel=1e-3)
    assert found["sync_offset"] == 15 - int(np.argmin(means)) == -3


def test_nothing_to_compare_is_missing(file):
    network = syncnet.load(file)
    frames = np.zeros((3, 64, 64, 3), np.uint8)
    for points in (np.zeros((3, 478, 3)), np.random.default_rng(0).uniform(10, 50, (3, 478, 3))):
        found = syncnet.sync_scores(network, frames, points, np.zeros(3 * 640, np.float32))
        assert set(found) == set(syncnet.NAMES) and all(np.isnan(value) for value in found.values())


def test_crop_lies_low_and_is_grey_beyond_the_frame():
    frame = np.zeros((200, 200, 3), np.uint8)
    frame[..., 0] = 200
    frame[90:110, 90:110] = [0, 0, 255]  # blue, at the centre of the box
    face = syncnet.cut_face(frame, 100, 100, 50)
    assert face.shape == (224, 224, 3) and face[0, 0].tolist() == [0, 0, 200]  # BGR
    rows, columns = np.nonzero(face[..., 0] > 128)
    # 140 px of the frame are 224 of the crop: 50 above the centre, 90 below, 70 to either side.
    assert rows.mean() == pytest.approx(50 * 1.6, abs=1.5) and columns.mean() == pytest.approx(112, abs=1.5)
    beyond = syncnet.cut_face(frame, 5, 5, 50)
    assert (beyond[:40, :40] == 110).all()


def test_track_is_the_median_of_the_box():
    points = np.zeros((40, 478, 3))
    angle = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[:, list(FACE_OVAL), 0] = 100 + 30 * np.cos(angle)
    points[:, list(FACE_OVAL), 1] = 120 + 40 * np.sin(angle)
    points[20] += 500  # one frame gone wrong
    track = syncnet.face_track(points)
    np.testing.assert_allclose(track, np.broadcast_to([100, 120, 40], (40, 3)), atol=0.4)


def test_other_files_are_refused(tmp_path):
    torch.save({"weight": torch.zeros(1)}, tmp_path / "a.model")
    with pytest.raises(ArtifactMismatch, match="not SyncNet v2"):
        syncnet.load(tmp_path / "a.model")
