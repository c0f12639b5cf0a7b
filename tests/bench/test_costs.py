"""Costs grow with people and footage as the rates say."""

import json

import pytest

from emotag.bench import costs
from emotag.errors import ArtifactMismatch


@pytest.fixture
def results(tmp_path):
    """Two clips of 20 s and 40 s; a job of a clip takes as many CPU seconds as the clip is long, all others ten."""
    for clip, seconds in (("a", 20), ("b", 40)):
        folder = tmp_path / "clips" / clip
        folder.mkdir(parents=True)
        (folder / "audio.wav").write_bytes(bytes(32_000 * seconds))
        (folder / "crop.json").write_text("{}")
        (tmp_path / "identities" / clip).mkdir(parents=True)
        (tmp_path / "identities" / clip / "avatar.safetensors").write_bytes(bytes(1000))
        spent = {rule: (seconds, clip) for rule in costs.OF_CLIP}
        spent |= {rule: (seconds - costs.PART_S, f"{clip}@self-{clip}@avatar") for rule in costs.OF_DRIVE}
        spent |= {rule: (100, clip) for rule in costs.OF_PERSON} | {rule: (3600, "shared") for rule in costs.SHARED}
        for rule, (cpu, job) in spent.items():
            file = tmp_path / "benchmarks" / rule / f"{job}.jsonl"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps({"cpu_time": cpu, "s": 1}) + "\n")
    return tmp_path


def test_rates_are_those_of_the_run(results):
    rates = costs.measured(results)
    assert all(rates.cpu[rule] == pytest.approx(1) for rule in (*costs.OF_CLIP, *costs.OF_DRIVE))
    assert all(rates.cpu[rule] == 100 for rule in costs.OF_PERSON)
    assert rates.bytes_person == 1000 and rates.bytes_second == pytest.approx(32_000, rel=1e-3)


def test_costs_add_up(results):
    rates, length = costs.measured(results), 60.0
    one, ten = costs.cost(rates, 1, 1), costs.cost(rates, 10, 1)
    person = len(costs.OF_CLIP) * length + 8 * (length - costs.PART_S) + 100 * len(costs.OF_PERSON)
    assert one["core_hours_a_person"] == pytest.approx(person / 3600)
    assert one["core_hours"] == pytest.approx(person / 3600 + len(costs.SHARED))
    assert ten["core_hours"] - one["core_hours"] == pytest.approx(9 * person / 3600)
    assert costs.gpu_hours(70, 10) == pytest.approx((70 * 23_000 + 250_000) * 0.01 / 3600)


def test_an_unfinished_run_tells_no_costs(results):
    (results / "benchmarks" / "adapt" / "a.jsonl").unlink()
    (results / "benchmarks" / "adapt" / "b.jsonl").unlink()
    with pytest.raises(ArtifactMismatch, match="no benchmark of adapt"):
        costs.measured(results)


def test_a_run_with_the_shipped_prior_costs_no_training_of_it(results):
    before = costs.cost(costs.measured(results), 10, 1)
    for rule in ("corpus", "actors", "pretrain"):
        (results / "benchmarks" / rule / "shared.jsonl").unlink()
    after = costs.cost(costs.measured(results), 10, 1)
    assert before["core_hours"] - after["core_hours"] == pytest.approx(3)
