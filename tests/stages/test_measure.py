"""The stage on videos of another size than the crop's: masks, landmarks and fit each at the size they need."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from emotag.artifacts import Motion, Subject
from emotag.config import MeasureConfig
from emotag.io.stamps import stamp
from emotag.io.video import read_frames, write_gray, write_video
from emotag.metrics.detected import Detected
from emotag.metrics.image import psnr, squared_error
from emotag.stages import measure
from emotag.tracking.regions import INDEX

FRAMES, CROP, START = 6, 128, 2
PLAIN = MeasureConfig()
UNITS = ("AU10", "AU12", "AU14", "AU15", "AU17", "AU20", "AU23", "AU25", "AU26") + (
    "AU01", "AU02", "AU04", "AU05", "AU06", "AU07", "AU09", "AU45",
)  # fmt: skip


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """Runs the stage at a rendered size; gives its table, the avatar's metrics, the fitted points and the videos."""
    rng = np.random.default_rng(0)
    paths = [rng.uniform(0.3, 0.7, (FRAMES, 478, 3)).astype(np.float32) for _ in range(2)]
    labels = np.zeros((FRAMES + START, CROP, CROP), np.uint8)
    labels[:, 32:96, 32:64] = INDEX["skin"]
    write_gray(tmp_path / "labels.mkv", labels)
    coarse = rng.integers(60, 200, (2, FRAMES, 8, 8, 3)).astype(np.uint8)
    camera = {"fx": 256.0, "fy": 256.0, "cx": 64.0, "cy": 64.0, "width": CROP, "height": CROP}
    person = SimpleNamespace(camera=camera)
    driven = SimpleNamespace(frames=list(range(START, START + FRAMES)))
    monkeypatch.setattr(Subject, "load", lambda path: person)
    monkeypatch.setattr(Motion, "load", lambda path: driven)
    monkeypatch.setattr(measure.models, "load", lambda path: SimpleNamespace(action_unit_names=UNITS))
    fitted = []

    def detect(frames):
        frames = list(frames)
        truth = frames[0].mean() > 127
        width = frames[0].shape[1]
        return Detected(paths[truth] * width, np.ones(len(frames), bool), width)

    def fit(model, subject, points, iterations):
        fitted.append(points)
        return np.repeat(points[:, :1, 0] / subject.camera["width"], len(UNITS), 1)

    monkeypatch.setattr(measure, "detect", detect)
    monkeypatch.setattr(measure, "fitted_action_units", fit)

    def run(size, lpips=(), config=PLAIN, syncnet=(), emotion=()):
        fitted.clear()
        folder = tmp_path / str(size)
        videos = [folder / "truth.mp4", folder / "avatar" / "video.mp4"]
        for path, frames, shade in zip(videos, coarse, (55, -60), strict=True):
            path.parent.mkdir(parents=True)
            bright = np.clip(frames.astype(int) + shade, 0, 255).astype(np.uint8)
            write_video(path, [np.kron(f, np.ones((size // 8, size // 8, 1), np.uint8)) for f in bright], crf=4)
        out = folder / "metrics.parquet"
        measure.run(
            truth=videos[0], videos=videos[1:], labels=tmp_path / "labels.mkv", head=tmp_path, subject=tmp_path,
            motion=tmp_path, lpips=lpips, syncnet=syncnet, emotion=emotion, identity="me", clip="c",
            crop="64 px", providers="p", seed=0, out=out, config=config,
        )  # fmt: skip
        rows = pd.read_parquet(out)
        return (
            rows,
            {row.metric: row.value for row in rows.itertuples() if row.variant == "avatar"},
            list(fitted),
            videos,
        )

    return run


def test_size_of_the_video_changes_no_metric_of_the_face(measured):
    (_, small, fitted, _), (_, large, again, _) = measured(64), measured(256)
    for name in ("lmd_px512", "jitter_px512", "aue_l", "aue_u", "lip_aperture_corr", "lip_width_corr"):
        assert small[name] == pytest.approx(large[name], rel=1e-4)
    for points, other in zip(fitted, again, strict=True):
        np.testing.assert_allclose(points, other, rtol=1e-5)
        assert 0.3 * CROP <= points.min() and points.max() <= 0.7 * CROP


def test_head_mask_is_brought_to_the_videos_size(measured):
    rows, scores, _, videos = measured(64)
    mask = np.zeros((64, 64), bool)
    mask[16:48, 16:32] = True
    expected = np.mean(
        [psnr(squared_error(*pair), mask) for pair in zip(*(read_frames(path) for path in videos), strict=True)]
    )
    assert scores["psnr_head"] == pytest.approx(expected, rel=1e-5)
    assert set(rows["split"]) == {"c[2:8]"} and set(rows["variant"]) == {"avatar", "ground_truth"}


def test_lpips_is_missing_without_its_files_and_never_zero(measured, tmp_path, monkeypatch):
    rows, scores, *_ = measured(64, config=MeasureConfig(lpips=True))
    assert np.isnan(scores["lpips_full"]) and rows[rows.metric == "lpips_full"].value.isna().all()
    assert "lpips_full" not in measured(32)[1]
    network = SimpleNamespace(distances=lambda truth, others: [float(np.abs(truth / 1.0 - x).mean()) for x in others])
    monkeypatch.setattr(measure, "load_lpips", lambda trunk, heads: network)
    files = [tmp_path / "trunk.pth", tmp_path / "heads.pth"]
    for file in files:
        file.write_bytes(file.name.encode())
    rows, scores, *_ = measured(128, files, MeasureConfig(lpips=True))
    assert rows.attrs == stamp(*files) and rows.attrs["made_with"][0]["name"] == "trunk.pth"
    assert scores["lpips_full"] == pytest.approx(115, abs=3)
    assert rows[(rows.metric == "lpips_full") & (rows.variant == "ground_truth")].value.item() == 0


def test_sync_is_missing_without_its_file(measured):
    rows, scores, *_ = measured(64, config=MeasureConfig(syncnet=True))
    assert all(np.isnan(scores[name]) for name in ("sync_c", "sync_e", "sync_offset"))
    assert "sync_c" not in measured(32)[1]


def test_emotion_agreement_is_missing_without_its_files_and_one_for_the_truth(measured, tmp_path, monkeypatch):
    wanted = MeasureConfig(emotion_agreement=True)
    rows, scores, *_ = measured(64, config=wanted)
    assert rows[rows.metric == "emotion_agreement"].value.isna().all() and "emotion_agreement" in scores
    assert "emotion_agreement" not in measured(32)[1]

    def seen(weights, frames, points):
        bright = np.array([frame.mean() > 127 for frame in frames])
        return np.where(bright[:, None], np.eye(7)[:1], np.full((1, 7), 1 / 7))

    monkeypatch.setattr(measure.face_api, "load", lambda data, manifest: None)
    monkeypatch.setattr(measure.face_api, "probabilities", seen)
    files = [tmp_path / "weights.bin", tmp_path / "manifest.json"]
    for file in files:
        file.write_bytes(file.name.encode())
    rows, scores, *_ = measured(128, config=wanted, emotion=files)
    assert scores["emotion_agreement"] == pytest.approx(1 / 7)
    assert rows[(rows.metric == "emotion_agreement") & (rows.variant == "ground_truth")].value.item() == 1
