"""The deepface package behind its pipe: a package of that name made here, and the real one where its environment is built."""

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from emotag.artifacts import Emotion, Landmarks
from emotag.config import EmotionConfig
from emotag.emotion import deepface, deepface_package
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head.landmark_sets import FACE_OVAL
from emotag.io.artifact import read_provenance
from emotag.io.video import write_video
from emotag.stages import emotion
from emotag.stages.environment import interpreter
from emotag.types import EMOTIONS

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "results" / "envs" / "deepface" / "ready.json"
# Prints, finds the left half brighter than 100 or no face, and answers by the colour there, as the true one does in percent.
PACKAGE = """
import os
class DeepFace:
    @staticmethod
    def analyze(picture, actions, detector_backend, enforce_detection, align, silent):
        assert actions == ["emotion"] and silent and "PYTHONPATH" not in os.environ
        assert open(os.environ["DEEPFACE_HOME"] + "/.deepface/weights/weights.h5").read() == "w"
        print("loading")
        assert (enforce_detection, align) == (detector_backend != "skip",) * 2
        if enforce_detection and picture.max() < 100:
            raise ValueError("Face could not be detected in numpy array.")
        blue, green, red = picture[0, 0] / 255 * 50
        names = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
        scores = dict.fromkeys(reversed(names), 0.0) | {"angry": red, "sad": green, "neutral": 100 - red - green}
        small = {"emotion": dict.fromkeys(names, 100 / 7), "region": {"w": 5, "h": 5}}
        return [small, {"emotion": scores, "region": {"w": 50, "h": 50}}]
"""


@pytest.fixture
def python(tmp_path):
    """An interpreter that has the package above."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "deepface.py").write_text(PACKAGE)
    program = tmp_path / "bin" / "python"
    program.parent.mkdir()
    start = f"import runpy, sys; sys.path.append({str(tmp_path / 'site')!r}); sys.argv = sys.argv[1:]"
    run = "runpy.run_path(sys.argv[0], run_name='__main__')"
    program.write_text(f'#!/bin/sh\ntest "$1" = -P && shift\nexec {sys.executable} -P -c "{start}; {run}" "$@"\n')
    program.chmod(0o755)
    (tmp_path / "weights.h5").write_text("w")
    return program


def scores(python, detector, frames, points=None):
    points = np.zeros((len(frames), 478, 3)) if points is None else points
    return deepface_package.probabilities(python, [python.parents[1] / "weights.h5"], frames, points, detector)


def test_whole_frames_go_there_and_come_back_in_our_order(python):
    frames = [np.full((30, 40, 3), (200, 4 * k, 0), np.uint8) for k in range(20)]
    found = scores(python, "opencv", frames)
    assert found.shape == (20, 7) and found.dtype == np.float32
    np.testing.assert_allclose(found[:, EMOTIONS.index("angry")], 200 / 255 * 0.5, rtol=1e-5)
    np.testing.assert_allclose(found[:, EMOTIONS.index("sad")], 4 * np.arange(20) / 255 * 0.5, rtol=1e-5)
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)


def test_frames_without_a_face_are_neutral(python):
    found = scores(python, "retinaface", [np.full((8, 8, 3), 90, np.uint8)])
    assert found.tolist() == [np.eye(7)[EMOTIONS.index("neutral")].tolist()]


def mesh(left, top, width, height, tilt=0.0):
    points = np.zeros((478, 3))
    angle = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[list(FACE_OVAL), :2] = np.stack([np.cos(angle) * width / 2, np.sin(angle) * height / 2], 1)
    points[33, :2], points[263, :2] = [-width / 4, 0], [width / 4, 0]
    turn = np.array([[np.cos(tilt), np.sin(tilt)], [-np.sin(tilt), np.cos(tilt)]])
    points[:, :2] = points[:, :2] @ turn + [left + width / 2, top + height / 2]
    return points


def test_the_mesh_gives_the_levelled_face(python):
    frame = np.full((60, 60, 3), (51, 0, 0), np.uint8)
    found = scores(python, "mesh", [frame], mesh(10, 10, 30, 30)[None])
    assert found[0, EMOTIONS.index("angry")] == pytest.approx(0.1)


def test_what_goes_wrong_is_told(python, tmp_path):
    big = [np.zeros((600, 600, 3), np.uint8)] * 3
    with pytest.raises(AssetMissing, match="weights.h5 does not exist"):
        deepface_package.probabilities(
            python, [tmp_path / "other" / "weights.h5"], big, np.zeros((3, 478, 3)), "opencv"
        )
    (tmp_path / "weights.h5").write_text("other")
    with pytest.raises(ArtifactMismatch, match="AssertionError"):
        scores(python, "opencv", big)
    python.write_text("#!/bin/sh\necho cannot start >&2\nexit 1\n")
    with pytest.raises(ArtifactMismatch, match="cannot start"):
        scores(python, "opencv", big)


def test_through_the_stage(python, tmp_path):
    write_video(tmp_path / "crop.mp4", [np.full((64, 64, 3), 150, np.uint8)] * 3)
    points = np.stack([mesh(10, 10, 40, 40)] * 3).astype(np.float32)
    Landmarks(points, np.ones(3, np.float32), np.zeros(3, bool), 64, 64).save(tmp_path / "l")
    ready = tmp_path / "deepface" / "ready.json"
    ready.parent.mkdir()
    ready.write_text('{"packages": {"deepface": "1.2"}, "list": "aa"}')
    (ready.parent / "bin").symlink_to(tmp_path / "bin")
    files = {"crop": tmp_path / "crop.mp4", "landmarks": tmp_path / "l", "model": tmp_path / "weights.h5"}
    config = EmotionConfig(provider="deepface_package", detector="opencv")
    emotion.run(**files, package=[ready], out=tmp_path / "e", config=config)
    made = Emotion.load(tmp_path / "e")
    assert made.provider == "deepface_package" and made.probabilities[0, 0] == pytest.approx(0.294, abs=0.01)
    weights, package = read_provenance(tmp_path / "e")["made_with"]
    assert weights["name"] == "weights.h5" and len(weights["sha256"]) == 64
    assert package == {"name": "deepface", "revision": "1.2", "sha256": "aa"}


def keras_weights(path):
    """Random weights in the file's true layout: Keras' groups, kernels as [h, w, in, out]."""
    shapes = {
        "conv2d_1": (5, 5, 1, 64), "conv2d_2": (3, 3, 64, 64), "conv2d_3": (3, 3, 64, 64), "conv2d_4": (3, 3, 64, 128),
        "conv2d_5": (3, 3, 128, 128), "dense_1": (128, 1024), "dense_2": (1024, 1024), "dense_3": (1024, 7),
    }  # fmt: skip
    rng = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = np.array([name.encode() for name in shapes])
        for name, shape in shapes.items():
            group = file.create_group(name)
            group.attrs["weight_names"] = np.array([f"{name}/kernel:0".encode(), f"{name}/bias:0".encode()])
            group[f"{name}/kernel:0"] = (rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))).astype(np.float32)
            group[f"{name}/bias:0"] = rng.normal(size=shape[-1]).astype(np.float32) * 0.1
    return path


@pytest.mark.slow
@pytest.mark.skipif(not BUILT.is_file(), reason=f"run: snakemake --cores 1 {BUILT.relative_to(ROOT)}")
def test_the_package_itself_equals_its_weights_in_torch(tmp_path):
    weights = keras_weights(tmp_path / "facial_expression_model_weights.h5")
    rng = np.random.default_rng(1)
    frames = [rng.integers(0, 255, (20, 20, 3), np.uint8).repeat(10, 0).repeat(10, 1) for _ in range(5)]
    points = np.stack([mesh(30 + k, 40, 90 + 2 * k, 120, tilt=0.1 * k) for k in range(5)])
    ours = deepface.probabilities(deepface.load(weights), frames, points)
    theirs = deepface_package.probabilities(interpreter(BUILT), [weights], frames, points, "mesh")
    np.testing.assert_allclose(theirs, ours, atol=1e-5)
    assert ours.std(0).max() > 1e-3
