"""A full disk ends a stage in one line, and leaves no part of a file (needs the right to mount; skipped elsewhere)."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from emotag.artifacts import Emotion, Motion
from emotag.io.audio import write_wav
from emotag.io.video import write_video
from emotag.stages import gather, truth


@pytest.fixture
def small(tmp_path):
    """A file system of 16 KiB."""
    folder = tmp_path / "out"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        mounted = False
    if not mounted:
        pytest.skip("no right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_json_on_a_full_disk(small, tmp_path, refused):
    (tmp_path / "summary.json").write_text(json.dumps({"identity": "me", "drive": "self-me", "x": "y" * 50_000}))
    refused(gather, ["No space left"], summaries=tmp_path / "summary.json", out="OUT/me.json")


def test_video_on_a_full_disk(small, tmp_path, refused):
    rng = np.random.default_rng(0)
    write_video(tmp_path / "crop.mp4", [rng.integers(0, 255, (128, 128, 3), dtype=np.uint8) for _ in range(12)])
    (tmp_path / "audio.wav").write_bytes(b"")
    Motion(np.zeros((12, 3), np.float32), {}, "avatar", list(range(12)), 0.0).save(tmp_path / "m")
    files = {"crop": tmp_path / "crop.mp4", "audio": silent(tmp_path / "a.wav"), "motion": tmp_path / "m"}
    refused(truth, ["No space left"], **files, out="OUT/truth.mp4", config="{}")


def silent(path: Path) -> Path:
    write_wav(path, np.zeros(16_000))
    return path


def test_artifact_on_a_full_disk(small):
    with pytest.raises(OSError, match="No space left"):
        Emotion(np.zeros((9000, 7), np.float32), "fer").save(small / "e.safetensors")
    assert list(small.iterdir()) == []
