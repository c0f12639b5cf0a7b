"""GPUs are handed out one a job; the devices here are names without hardware."""

import json
import os
import signal
import subprocess
import sys
import threading

import pytest

from emotag import devices

PROGRAM = """
import json, os, signal, sys, time
from pathlib import Path
from emotag import devices
names, folder, seconds = json.loads(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
with devices.one(names, folder, poll_s=0.02) as name:
    begun = time.monotonic()
    print(json.dumps([name, os.environ["CUDA_VISIBLE_DEVICES"], begun]), flush=True)
    time.sleep(seconds)
    print(json.dumps(time.monotonic()), flush=True)
"""


def start(names, folder, seconds) -> subprocess.Popen:
    command = [sys.executable, "-c", PROGRAM, json.dumps(names), str(folder), str(seconds)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONPATH": "src"})


@pytest.mark.parametrize("names", [["0", "1"], ["GPU-a", "GPU-b"]])
def test_never_two_jobs_on_a_device(names, tmp_path):
    """Five jobs, two devices: both are used, and no device by two at a time."""
    said = [job.communicate(timeout=60)[0].splitlines() for job in [start(names, tmp_path, 0.15) for _ in range(5)]]
    times: dict[str, list[tuple[float, float]]] = {}
    for first, last in said:
        name, seen, begun = json.loads(first)
        assert seen == name
        times.setdefault(name, []).append((begun, json.loads(last)))
    assert set(times) == set(names)
    for spans in times.values():
        ordered = sorted(spans)
        assert all(one[1] <= two[0] for one, two in zip(ordered, ordered[1:], strict=False))


def test_a_killed_job_gives_its_device_back(tmp_path):
    jobs = [start(["0", "1"], tmp_path, 60) for _ in range(2)]
    held = [json.loads(job.stdout.readline())[0] for job in jobs]
    assert sorted(held) == ["0", "1"]
    jobs[0].send_signal(signal.SIGKILL)
    jobs[0].communicate()
    with devices.one(["0", "1"], tmp_path, {}, poll_s=0.02) as name:
        assert name == held[0]
    jobs[1].kill()
    jobs[1].communicate()


def test_one_device_or_none_needs_no_lock(tmp_path):
    """A scheduler shows each job its own device under the same name, so that a lock would make them wait for nothing."""
    environment = {"CUDA_VISIBLE_DEVICES": "0"}
    with devices.one(None, tmp_path, environment) as first, devices.one(None, tmp_path, environment) as second:
        assert first == second == "0" and environment == {"CUDA_VISIBLE_DEVICES": "0"}
    with devices.one(None, tmp_path, {"CUDA_VISIBLE_DEVICES": ""}) as none:
        assert none is None
    assert not list(tmp_path.iterdir())


def test_what_was_visible_is_visible_again(tmp_path):
    environment = {"CUDA_VISIBLE_DEVICES": "2, 3"}
    with devices.one(None, tmp_path, environment) as name:
        assert name == "2" and environment == {"CUDA_VISIBLE_DEVICES": "2"}
        other: list[str | None] = []
        thread = threading.Thread(target=lambda: other.append(_name(tmp_path)))
        thread.start()
        thread.join(10)
        assert other == ["3"]
    assert environment == {"CUDA_VISIBLE_DEVICES": "2, 3"}


def _name(folder) -> str | None:
    with devices.one(["2", "3"], folder, {}) as name:
        return name


def test_devices_are_listed_by_the_driver(tmp_path):
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho GPU-one\necho GPU-two\n")
    program.chmod(0o755)
    assert devices.visible({"PATH": str(tmp_path)}) == ["GPU-one", "GPU-two"]
    program.write_text("#!/bin/sh\nexit 9\n")
    assert devices.visible({"PATH": str(tmp_path)}) == [] == devices.visible({"PATH": str(tmp_path / "none")})
