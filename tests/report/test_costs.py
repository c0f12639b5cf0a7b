"""Costs from benchmarks: sums, the peak, and nothing where a benchmark is missing."""

import json
import math

import pytest

from emotag.errors import ArtifactMismatch
from emotag.report.costs import of_avatar, of_benchmarks, of_speed


def benchmark(path, seconds, peak=None):
    path.write_text(json.dumps({"s": 1, "max_rss": 1}) + "\n" + json.dumps({"s": str(seconds), "max_rss": peak}) + "\n")
    return path


def test_minutes_and_peak_are_those_of_the_last_try(tmp_path):
    train = benchmark(tmp_path / "adapt.jsonl", 300, 900.0)
    before = [benchmark(tmp_path / f"{n}.jsonl", 60 * n, 1000.0 + n) for n in (1, 2)]
    assert of_benchmarks(train, before) == {"train_min": 5, "preprocess_min": 3, "peak_rss_mb": 1002}


def test_a_missing_benchmark_is_no_zero(tmp_path):
    found = of_benchmarks(tmp_path / "none.jsonl", [benchmark(tmp_path / "a.jsonl", 5), tmp_path / "b.jsonl"])
    assert all(math.isnan(value) for value in found.values())


def test_sizes_and_speed(tmp_path):
    (tmp_path / "avatar").write_bytes(bytes(2_500_000))
    assert of_avatar(tmp_path / "avatar", 7) == {"gaussians": 7, "avatar_mb": 2.5}
    speed = tmp_path / "speed.json"
    speed.write_text(
        json.dumps({"audio_ms": 1, "motion_ms": 2, "render_ms": 3, "fps": 200, "peak_vram_mb": 4, "frames": 9})
    )
    assert of_speed(speed) == {"audio_ms": 1, "motion_ms": 2, "render_ms": 3, "fps": 200, "peak_vram_mb": 4}
    speed.write_text(json.dumps({"audio_ms": 1, "motion_ms": 2, "render_ms": 3, "fps": 200, "peak_vram_mb": None}))
    assert math.isnan(of_speed(speed)["peak_vram_mb"])
    speed.write_text(json.dumps({"audio_ms": None, "motion_ms": 2, "render_ms": 3, "fps": 200, "peak_vram_mb": 1}))
    with pytest.raises(ArtifactMismatch):
        of_speed(speed)
