import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from emotag import stage
from emotag.artifacts import Emotion
from emotag.config import AdaptConfig, CropConfig
from emotag.errors import ConfigError, FootageError
from emotag.io.artifact import read_provenance
from emotag.provenance import Run

ROOT = Path(__file__).resolve().parents[1]


def run(
    *, videos: list[Path], out: Path, name: str, config: CropConfig, seconds: float = 5.0, loud: bool = False
) -> None:
    """A stage."""
    if name == "bad":
        raise FootageError("clip.mp4: no face\nat all; film one")
    if name == "bug":
        raise FileNotFoundError(2, "No such file", "/inner/file")
    if name == "absent":
        videos[0].read_bytes()
    out.write_text(f"{[video.name for video in videos]} {name} {config.size_px} {seconds} {loud}")


@pytest.fixture(autouse=True)
def _no_running_stage(monkeypatch):
    monkeypatch.setattr(stage, "_RUN", Run())


FLAGS = ["--videos", "a.mp4", "b.mp4", "--out", "{out}", "--config", '{"size_px": 256}', "--name"]


@pytest.fixture
def flags(tmp_path):
    return [flag.replace("{out}", str(tmp_path / "out")) for flag in FLAGS]


def test_flags_come_from_the_signature(flags, tmp_path):
    stage.main(run, [*flags, "x y", "--seconds", "2.5", "--loud", "True"])
    assert (tmp_path / "out").read_text() == "['a.mp4', 'b.mp4'] x y 256 2.5 True"


def test_a_users_mistake_is_one_line_and_code_2(flags, capsys):
    with pytest.raises(SystemExit) as left:
        stage.main(run, [*flags, "bad"])
    assert left.value.code == 2
    assert capsys.readouterr().err.splitlines()[-1].endswith("clip.mp4: no face at all; film one")


def test_a_missing_input_is_one_line_but_a_bug_keeps_its_traceback(flags, capsys):
    with pytest.raises(SystemExit) as left:
        stage.main(run, [*flags, "absent"])
    assert left.value.code == 2
    assert "a.mp4 does not exist" in capsys.readouterr().err
    with pytest.raises(FileNotFoundError):
        stage.main(run, [*flags, "bug"])


def test_misspelt_setting_is_named(flags):
    flags[flags.index('{"size_px": 256}')] = '{"sise_px": 256}'
    with pytest.raises(ConfigError, match="--config.sise_px: unknown key; did you mean size_px?"):
        stage.parse(run, "test", [*flags, "x"])


def test_missing_flag_leaves_with_code_2(flags):
    with pytest.raises(SystemExit) as left:
        stage.main(run, flags[2:] + ["x"])
    assert left.value.code == 2


def test_provenance_has_code_and_settings_and_no_paths_or_times(tmp_path):
    stage._RUN.begin("emotag.stages.fetch", {"config": AdaptConfig(iterations=7)})
    emotion = Emotion(np.zeros((2, 7), np.float32), "test")
    emotion.save(tmp_path / "a", stage.provenance())
    found = read_provenance(tmp_path / "a")
    assert found["stage"] == "emotag.stages.fetch"
    assert found["config"]["iterations"] == 7
    assert any(line.startswith("emotag.io.assets@") for line in found["code"])
    assert str(Path.cwd()) not in json.dumps(found)
    emotion.save(tmp_path / "b", stage.provenance())
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_code_of_the_running_stage_with_what_it_loads_by_name():
    assert stage.code("emotag.types") == []
    stage._RUN.begin("emotag.stages.fetch", {})
    assert any(line.startswith("emotag.types@") for line in stage.code("emotag.types"))


def test_digests_are_of_the_content(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert stage.digests(x=tmp_path / "x") == {"x": "ba7816bf8f01cfea"}


def test_a_stage_is_a_program(tmp_path):
    command = [sys.executable, "-m", "emotag.stages.fetch", "--asset", "{}", "--by-hand", "x", "--out", "y"]
    source = str(Path(stage.__file__).parents[1])
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env={"PYTHONPATH": source})
    assert done.returncode == 2
    assert done.stderr.startswith("error (fetch): --asset.name: is missing")
    assert len(done.stderr.splitlines()) == 1


SLEEPER = """
import sys, time
from pathlib import Path
from emotag import stage
from emotag.io.tensors import replacing

def run(*, out: Path) -> None:
    with replacing(out, out.suffix) as temporary:
        temporary.write_text("half")
        print("writing", flush=True)
        time.sleep(60)

stage.main(run)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_end_leaves_nothing_half_written(tmp_path, number):
    command = [sys.executable, "-c", SLEEPER, "--out", str(tmp_path / "video.mp4")]
    job = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=_hears_all, cwd=ROOT / "src"
    )
    assert job.stdout.readline() == "writing\n"
    job.send_signal(number)
    _, said = job.communicate(timeout=30)
    assert job.returncode == 128 + number and "Traceback" not in said
    assert list(tmp_path.iterdir()) == []


def test_the_next_try_sweeps_what_a_killed_one_left(tmp_path):
    command = [sys.executable, "-c", SLEEPER, "--out", str(tmp_path / "video.mp4")]
    for _ in range(2):
        job = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT / "src")
        assert job.stdout.readline() == "writing\n"
        job.kill()
        job.communicate()
    assert len(list(tmp_path.iterdir())) == 1


def _hears_all() -> None:
    """Tests may run where signals are ignored, in the background of a shell, say."""
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
