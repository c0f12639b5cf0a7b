"""The quality report on a clip whose truth is known: the mesh itself, seen with a known error."""

import json

import numpy as np
import pytest

from emotag.artifacts import Landmarks, Subject, Tracks
from emotag.io.artifact import write_json
from emotag.io.audio import write_wav
from emotag.io.video import probe, write_video
from emotag.stages import quality
from emotag.tracking.posing import model_points

FRAMES, SIZE = 6, 128


@pytest.fixture(scope="module")
def clip(tmp_path_factory, head):
    """A head turning by 20 degrees; its detected points are its own, 1 px to the right."""
    folder = tmp_path_factory.mktemp("clip")
    turn = np.linspace(-10, 10, FRAMES) * np.pi / 180
    tracks = Tracks(
        head_model=head.name,
        expression_names=list(head.expression_names),
        shape=np.zeros(head.shape_size, np.float32),
        expression=np.zeros((FRAMES, len(head.expression_names)), np.float32),
        jaw=np.zeros((FRAMES, 3), np.float32),
        neck=np.zeros((FRAMES, 3), np.float32),
        eyes=np.zeros((FRAMES, 6), np.float32),
        rotation=np.stack([0 * turn, turn, 0 * turn], 1).astype(np.float32),
        translation=np.tile(np.float32([0, 0, -0.9]), (FRAMES, 1)),
        camera={"fx": 256.0, "fy": 256.0, "cx": 64.0, "cy": 64.0, "width": SIZE, "height": SIZE},
        landmark_error=np.ones((FRAMES, 478), np.float32),
        interpolated=np.zeros(FRAMES, bool),
    )
    points = model_points(head, tracks, np.zeros((478, 3), np.float32))
    detected = np.concatenate([points + [1, 0], np.zeros((FRAMES, 478, 1))], 2).astype(np.float32)
    tracks.save(folder / "tracks.safetensors")
    Subject(
        head_model=head.name,
        expression_names=tracks.expression_names,
        shape=tracks.shape,
        camera=tracks.camera,
        landmark_offsets=np.zeros((478, 3), np.float32),
        neutral_expression=tracks.expression[0],
        neutral_jaw=tracks.jaw[0],
        vertex_colours=np.zeros((head.vertex_count, 3), np.float32),
        clip="c",
        part=[0, FRAMES // 2],
    ).save(folder / "subject.safetensors")
    Landmarks(detected, np.ones(FRAMES, np.float32), np.zeros(FRAMES, bool), SIZE, SIZE).save(
        folder / "landmarks.safetensors"
    )
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (SIZE, SIZE, 3), dtype=np.uint8) for _ in range(FRAMES)]
    write_video(folder / "crop.mp4", frames, all_intra=True)
    write_wav(folder / "audio.wav", rng.normal(0, 0.1, FRAMES * 640) * np.repeat([1, 0.001], FRAMES * 320))
    facts = {"face_px": 200.0, "faces_per_sampled_frame": [1, 1], "source": {"fps": 25.0}, "warnings": ["a remark"]}
    write_json(folder / "crop.json", facts)
    write_json(folder / "sync.json", {"offset_frames": 2.5, "warning": "video is 2.5 frames late"})
    return folder, detected


def test_report_sheet_and_overlay(clip, head_file):
    folder, detected = clip
    quality.run(
        head=head_file,
        subject=folder / "subject.safetensors",
        clip="c",
        crop=folder / "crop.mp4",
        crop_info=folder / "crop.json",
        audio=folder / "audio.wav",
        landmarks=folder / "landmarks.safetensors",
        tracks=folder / "tracks.safetensors",
        sync=folder / "sync.json",
        out_report=folder / "quality.json",
        out_sheet=folder / "quality.png",
        out_overlay=folder / "overlay.mp4",
    )
    report = json.loads((folder / "quality.json").read_text())
    later = detected[FRAMES // 2 :]
    unseen = np.linalg.norm(later[:, 33, :2] - later[:, 263, :2], axis=1).mean()
    assert report["tracking_unseen"]["lips_iod"] == pytest.approx(1 / unseen, rel=1e-4)
    unit = np.linalg.norm(detected[:, 33, :2] - detected[:, 263, :2], axis=1).mean()
    for name in ("inner51_iod", "contour17_iod", "lips_iod", "eyelids_iod"):
        assert report["tracking"][name] == pytest.approx(1 / unit, rel=1e-5)
    assert report["tracking"]["jitter"] == pytest.approx(report["tracking"]["jitter_detected"], rel=1e-3)
    assert report["measures"]["yaw_range_deg"] == pytest.approx(0.96 * 20, abs=0.3)
    assert report["measures"]["snr_db"] > 40 and report["measures"]["offset_frames"] == 2.5
    assert report["verdict"] == "warn"
    assert {"a remark", "video is 2.5 frames late"} <= set(report["reasons"])
    assert probe(folder / "overlay.mp4").frames == FRAMES
    assert (folder / "quality.png").read_bytes()[:4] == b"\x89PNG"
