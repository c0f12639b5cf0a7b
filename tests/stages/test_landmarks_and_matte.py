"""From a crop to face mesh, matte and labels: same length, same clock, gaps flagged."""

import numpy as np
import pytest
import skimage.data

from emotag.artifacts import Landmarks
from emotag.config import LandmarksConfig, MatteConfig
from emotag.errors import FootageError
from emotag.io.video import read_gray, write_video
from emotag.stages import landmarks, matte
from emotag.tracking.regions import INDEX, head_mask

FRAMES, MISSING = 8, (0, 4)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A photograph moving right by 2 px a frame, with two black frames."""
    folder = tmp_path_factory.mktemp("clip")
    picture = skimage.data.astronaut()
    frames = [np.ascontiguousarray(picture[:320, 60 - 2 * k : 380 - 2 * k]) for k in range(FRAMES)]
    for index in MISSING:
        frames[index] = np.zeros_like(frames[0])
    write_video(folder / "crop.mp4", frames, crf=4, all_intra=True)
    landmarks.run(crop=folder / "crop.mp4", out=folder / "landmarks.safetensors", config=LandmarksConfig())
    matte.run(
        given=[],
        crop=folder / "crop.mp4",
        landmarks=folder / "landmarks.safetensors",
        out_alpha=folder / "alpha.mkv",
        out_labels=folder / "labels.mkv",
        config=MatteConfig(),
    )
    return folder


def test_mesh_follows_and_gaps_are_flagged(clip):
    mesh = Landmarks.load(clip / "landmarks.safetensors")
    assert mesh.points.shape == (FRAMES, 478, 3) and (mesh.width, mesh.height) == (320, 320)
    np.testing.assert_array_equal(np.flatnonzero(mesh.interpolated), MISSING)
    np.testing.assert_array_equal(mesh.confidence, 1.0 - mesh.interpolated)
    x = mesh.points[:, :, 0].mean(1)
    np.testing.assert_allclose(x[[1, 2, 3, 5, 6, 7]] - x[1], [0, 2, 4, 8, 10, 12], atol=1.5)
    assert x[4] == pytest.approx((x[3] + x[5]) / 2) and x[0] == x[1]


def test_matte_and_labels_agree(clip):
    alphas, labels = list(read_gray(clip / "alpha.mkv")), list(read_gray(clip / "labels.mkv"))
    assert len(alphas) == len(labels) == FRAMES
    points = Landmarks.load(clip / "landmarks.safetensors").points
    for index in (2, 6):
        nose = tuple(np.floor(points[index, 4, 1::-1]).astype(int))
        assert alphas[index][nose] == 255 and labels[index][nose] == INDEX["skin"]
        assert alphas[index][5, 5] < 128 and labels[index][5, 5] == INDEX["background"]
        assert 0.1 < head_mask(labels[index]).mean() < 0.5


def test_a_clip_without_a_face_is_refused(tmp_path):
    write_video(tmp_path / "crop.mp4", [np.full((64, 64, 3), 4 * k, np.uint8) for k in range(5)])
    with pytest.raises(FootageError, match="face mesh in 0%"):
        landmarks.run(crop=tmp_path / "crop.mp4", out=tmp_path / "l.safetensors", config=LandmarksConfig())
    assert not (tmp_path / "l.safetensors").exists()
