"""The sync stage on artifacts made here: lips that follow the sound, shown late."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from emotag.artifacts import Articulation, Landmarks, LipRidge, Speech
from emotag.audio.windows import frame_times, sample
from emotag.config import SyncConfig
from emotag.errors import ArtifactMismatch
from emotag.head.landmark_sets import INNER_LIP_LOWER, INNER_LIP_UPPER
from emotag.motion.articulation import listening
from emotag.motion.ridge import Pair, Ridge, standardise
from emotag.stages import sync

FRAMES = 200
LATE = 3.0


def lips_of(features: np.ndarray, late: float) -> np.ndarray:
    """[T, 4] measures: aperture, width and jaw follow three features."""
    return 0.1 * sample(features, frame_times(np.arange(FRAMES), late))[:, 0][:, [0, 1, 2, 2]]


def mesh_of(measures: np.ndarray) -> np.ndarray:
    """A face whose lips, corners and chin move by the measures; eye corners 100 px apart."""
    points = np.tile(np.random.default_rng(0).uniform(100, 300, (478, 3)), (FRAMES, 1, 1))
    points[:, [33, 263]] = [[150, 150, 0], [250, 150, 0]]
    points[:, list(INNER_LIP_UPPER + INNER_LIP_LOWER)] = [200, 250, 0]
    points[:, list(INNER_LIP_LOWER[1:-1]), 1] += 60 + 100 * measures[:, :1]
    points[:, 61] = np.stack([160 - 100 * measures[:, 1], np.full(FRAMES, 250), np.zeros(FRAMES)], 1)
    points[:, 291] = [240, 250, 0]
    points[:, 168], points[:, 10] = [200, 155, 0], [200, 60, 0]
    points[:, 152] = np.stack([np.full(FRAMES, 200), 330 + 100 * measures[:, 3], np.zeros(FRAMES)], 1)
    return points


@pytest.fixture
def files(tmp_path):
    def features(seed: int) -> np.ndarray:
        return gaussian_filter1d(np.random.default_rng(seed).normal(size=(2 * FRAMES, 3)), 4, axis=0)

    pairs = [Pair(features(s), frame_times(np.arange(FRAMES)), standardise(lips_of(features(s), 0))) for s in range(4)]
    ridge = Ridge.fit(pairs, components=3, ridge=0.01)
    names = ["aperture", "width", "protrusion", "jaw"]
    LipRidge(ridge.to_arrays(), names, "whisper", "r1").save(tmp_path / "lips.safetensors")
    silent = np.zeros(2 * FRAMES, np.float32)
    Speech(features(9), silent, silent, silent, "whisper", "r1").save(tmp_path / "speech.safetensors")
    Landmarks(
        points=mesh_of(lips_of(features(9), LATE)).astype(np.float32),
        confidence=np.ones(FRAMES, np.float32),
        interpolated=np.arange(FRAMES) == 7,
        width=400,
        height=400,
    ).save(tmp_path / "landmarks.safetensors")
    return {name: tmp_path / f"{name}.safetensors" for name in ("landmarks", "speech", "lips")}


def test_report(files, tmp_path):
    sync.run(**files, articulation=[], start_s=0.0, seconds=5.0, out=tmp_path / "sync.json", config=SyncConfig())
    report = json.loads((tmp_path / "sync.json").read_text())
    assert report["offset_frames"] == pytest.approx(LATE, abs=0.2)
    assert report["told"] and report["window_s"] == [0.0, 5.0] and report["peak"] > 0.8
    assert "late" in report["warning"] and "this is corrected" in report["warning"]


def test_the_articulation_is_believed_where_lips_follow_it(files, tmp_path):
    random = np.random.default_rng(5)
    sizes = (7 * 3, 16, 16, 4)
    arrays = {"mean": np.zeros(3), "basis": np.eye(3)}
    for number, (inside, outside) in enumerate(zip(sizes, sizes[1:], strict=False)):
        arrays[f"weight{number}"] = 3 * random.normal(size=(outside, inside)) / np.sqrt(inside)
        arrays[f"bias{number}"] = random.normal(size=outside)
    arrays = {name: array.astype(np.float32) for name, array in arrays.items()}
    path = tmp_path / "articulation.safetensors"
    Articulation(arrays, "whisper", "r1", 10, 0).save(path)
    given = {**files, "articulation": [path], "start_s": 0.0, "seconds": 5.0, "config": SyncConfig()}
    sync.run(**given, out=tmp_path / "ridge.json")
    spoken = Speech.load(files["speech"]).features
    lips = listening(arrays).predict(spoken, frame_times(np.arange(FRAMES), LATE))
    # The aperture of a mesh cannot be negative.
    mesh = mesh_of(0.1 * (lips - lips.min(0)) / lips.std(0)).astype(np.float32)
    replace(Landmarks.load(files["landmarks"]), points=mesh).save(files["landmarks"])
    sync.run(**given, out=tmp_path / "articulation.json")
    ridge, other = (json.loads((tmp_path / f"{name}.json").read_text()) for name in ("ridge", "articulation"))
    assert ridge["heard_by"] == "ridge" and other["heard_by"] == "articulation"
    assert other["offset_frames"] == pytest.approx(LATE, abs=0.2) == ridge["offset_frames"] and other["peak"] > 0.9
    Articulation(arrays, "whisper", "r2", 10, 0).save(path)
    with pytest.raises(ArtifactMismatch, match="hears features r2, expected r1"):
        sync.run(**given, out=tmp_path / "none.json")


def test_the_lead_is_a_constant(files, tmp_path):
    sync.run(
        **files,
        articulation=[],
        start_s=0.0,
        seconds=5.0,
        out=tmp_path / "sync.json",
        config=SyncConfig(lead_frames=-LATE),
    )
    report = json.loads((tmp_path / "sync.json").read_text())
    assert report["offset_frames"] == pytest.approx(0, abs=0.2) and report["warning"] is None


def test_other_features_are_refused(files, tmp_path):
    spoken = Speech.load(files["speech"])
    fields = {**vars(spoken), "revision": "r2"}
    Speech(**fields).save(files["speech"])
    with pytest.raises(ArtifactMismatch, match="features are r2, expected r1"):
        sync.run(**files, articulation=[], start_s=0.0, seconds=5.0, out=tmp_path / "sync.json", config=SyncConfig())
