"""The kill matrix judges what it sees, on runs that are made up; the runs themselves are `python -m emotag.bench survival`."""

import signal
import subprocess
import sys

import pytest

from emotag.bench import survival
from emotag.bench.survival import Stage, judge, lost_steps, table
from emotag.bench.survival_cases import Fate, disk, moment_of, power_cut
from emotag.bench.working_tree import Ended, Tree, send, wait_for_job

FAILED, FINE = Ended(1, 1.0, "error (adapt): no room"), Ended(0, 1.0, "")
TRAINER = Stage("adapt", ("avatar",), "adapt/demo", "adapt/demo", 20)
BYTES = {"avatar": "1", "other": "2"}


def fault(name="adapt SIGKILL 1", found=BYTES, **facts) -> str:
    fate = Fate(**({"suffered": FAILED, "after": FINE} | facts))
    return judge(name, TRAINER, fate, BYTES, found)["fault"]


def test_a_good_end_has_no_fault():
    assert fault() == ""
    assert fault(reached=("joint", 60, 200), resumed=("joint", 40)) == ""


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"after": FAILED}, "ended with 1"),
        ({"found": {"avatar": "x", "other": "2"}}, "other bytes: avatar"),
        ({"found": {"avatar": "1"}}, "other bytes: other"),
        ({"left": (".video.mp4.x",)}, "left behind"),
        ({"reached": ("joint", 60, 200), "resumed": ("joint", 20)}, "40 steps were lost"),
        ({"reached": ("joint", 60, 200)}, "60 steps were lost"),
        ({"name": "adapt full disk", "suffered": FINE}, "not refused"),
        ({"name": "adapt read-only", "suffered": Ended(1, 1.0, "Traceback")}, "not told in a line"),
    ],
)
def test_each_fault_is_told(facts, word):
    assert word in fault(**facts)


def test_a_power_cut_may_cost_the_newest_checkpoint_too():
    steps = {"name": "adapt power cut", "reached": ("joint", 55, 200)}
    assert not fault(**steps, resumed=("joint", 20))
    assert "45 steps were lost, expected at most 40" in fault(**steps, resumed=("joint", 10))


def test_steps_are_lost_within_a_phase_and_not_at_its_end():
    assert lost_steps(Fate(FAILED, FINE, reached=("static", 200, 200), resumed=("joint", 0))) == 0
    assert lost_steps(Fate(FAILED, FINE, reached=("joint", 40, 200), resumed=("static", 180))) == 40
    assert lost_steps(Fate(FAILED, FINE)) is None


def test_a_blow_that_came_too_late_does_not_count_as_survived():
    row = {"fault": "", "lost_steps": None}
    rows = {"adapt SIGKILL 1": row | {"in_time": True}, "adapt SIGKILL 2": row | {"in_time": False}}
    heading, _, line = table({"rows": rows}).splitlines()
    assert heading.startswith("| stage | SIGKILL | SIGTERM | Ctrl-C |") and line.startswith("| adapt | 1 of 2 |  |")


def test_every_case_has_its_name_and_moments_are_the_same_each_time():
    names = [name for name, _, _ in survival.plan(3)]
    assert len(names) == len(set(names)) == 6 * len(survival.STAGES) + 7 * len(survival.WIDER)
    assert moment_of("a", 10) == moment_of("a", 10) != moment_of("b", 10)


@pytest.fixture
def tree(tmp_path) -> Tree:
    for name in ("results/state/adapt/demo", ".snakemake/metadata", "results/logs/adapt"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "results" / "avatar").write_bytes(bytes(1000))
    return Tree(tmp_path)


def test_a_full_disk_is_one_and_everything_comes_back_from_it(tree):
    with disk(tree) as resize:
        if resize is None:
            pytest.skip("this user may not mount a disk")
        with pytest.raises(OSError, match="No space left"):
            (tree.results / "more").write_bytes(bytes(1_000_000))
        resize("size=8M")
        (tree.results / "more").write_bytes(bytes(1_000_000))
    assert {path.name for path in tree.results.iterdir() if path.is_file()} == {"avatar", "more"}
    assert not (tree.path / "moved").exists()


def test_a_job_is_found_below_its_snakemake_and_hears_signals(tmp_path):
    package = tmp_path / "emotag" / "stages"
    package.mkdir(parents=True)
    # Not a namespace package: one that is installed would be found in its place.
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "sleeper.py").write_text("import time; time.sleep(60)")
    program = "import subprocess, sys; subprocess.run([sys.executable, '-m', 'emotag.stages.sleeper'])"
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)})
    try:
        assert wait_for_job(parent, "other", 0.3) == []
        job = wait_for_job(parent, "sleeper", 30)
        assert job and send(job, signal.SIGKILL)
        parent.wait(30)
        assert wait_for_job(parent, "sleeper") == [] and not send(job, signal.SIGTERM)
    finally:
        parent.kill()


def test_a_power_cut_halves_the_newest_files(tree, monkeypatch):
    newest = tree.results / "state" / "adapt" / "demo" / "checkpoint.pt"
    newest.write_bytes(bytes(500))
    monkeypatch.setattr("emotag.bench.survival_cases.strike", lambda *_: (FAILED, 1.0))
    monkeypatch.setattr("emotag.bench.survival_cases.afterwards", lambda *_: Fate(FAILED, FINE))
    monkeypatch.setattr(Stage, "forget", lambda *_: None)
    (tree.path / ".snakemake").mkdir(exist_ok=True)
    before = newest.stat().st_mtime_ns
    power_cut(tree, TRAINER, 1.0, files=1)
    assert newest.stat().st_size == 250 and newest.stat().st_mtime_ns == before
    assert (tree.results / "avatar").stat().st_size == 1000
