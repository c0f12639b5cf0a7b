"""What an adaptation cost, from Snakemake's benchmark files."""

import json

import pytest

from emotag.errors import ArtifactMismatch
from emotag.report.summary import benchmark_costs


def test_costs_of_others_are_left_out_and_shared_work_is_told_apart(tmp_path):
    jobs = {
        "adapt/me": 100, "drive/me@self-a@avatar": 2, "drive/me@self-a@frozen": 3, "crop/a": 5, "adapt/you": 50,
        "drive/me@self-b@avatar": 60, "track/me@a": 4, "track/you@a": 70, "crop/b": 80,
        "head/shared": 7, "corpus/shared": 11, "pretrain/synthetic@all@shared": 13,
        "pretrain/clips@without-me@shared": 17, "pretrain/clips@all@shared": 19,
    }  # fmt: skip
    for number, (name, seconds) in enumerate(jobs.items()):
        path = tmp_path / f"{name}.jsonl"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps({"s": 999}) + "\n" + json.dumps({"s": seconds, "max_rss": number}) + "\n")
    found = benchmark_costs(
        tmp_path, ("me", "a", "self-a"), ["head/shared", "corpus/shared", "pretrain/synthetic@all@shared"]
    )
    assert found["wall_s"] == {"adapt": 100, "crop": 5, "drive": 5, "track": 4, "all": 114}
    assert found["wall_s_shared"] == {"head": 7, "corpus": 11, "pretrain": 13, "all": 31}
    assert found["peak_rss_mb"] == list(jobs).index("pretrain/synthetic@all@shared")
    clips = benchmark_costs(tmp_path, ("me",), ["pretrain/clips@without-me@shared"])
    assert clips["wall_s_shared"] == {"pretrain": 17, "all": 17}


@pytest.mark.parametrize("text", ["", "\n", '{"s": 1', "[1]", '{"s": "x"}', "{}"])
def test_a_benchmark_that_was_cut_off_is_named_and_those_of_others_do_not_matter(tmp_path, text):
    (tmp_path / "adapt").mkdir()
    (tmp_path / "adapt" / "me.jsonl").write_text(json.dumps({"s": 5, "max_rss": 1}))
    (tmp_path / "adapt" / "you.jsonl").write_text(text)
    assert benchmark_costs(tmp_path, ("me",), [])["wall_s"]["adapt"] == 5
    with pytest.raises(ArtifactMismatch, match="you.jsonl: cannot be read as a benchmark.*delete it"):
        benchmark_costs(tmp_path, ("you",), [])
