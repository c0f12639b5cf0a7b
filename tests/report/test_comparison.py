"""Comparable rows only; means and intervals against closed forms; claims said as they are."""

import math

import numpy as np
import pytest

from emotag.errors import ArtifactMismatch
from emotag.report.comparison import (
    Number,
    Row,
    Summary,
    bootstrap,
    check_comparable,
    drops,
    judge,
    mean_of_people,
    shared_cases,
    summarise,
    worse_by,
)


def number(value, person="p", split="c[0:9]", **settings):
    return Number(
        value, person, split, "a.parquet", {"definition": "d", "unit": "", "crop": "512", "providers": "x"} | settings
    )


def row(name, **values):
    return Row(name, "variant", {case: {"lmd_px512": number(value)} for case, value in values.items()})


@pytest.mark.parametrize(
    "other", [{"definition": "e"}, {"crop": "256"}, {"providers": "y"}, {"split": "c[0:8]"}, {"unit": "px"}]
)
def test_numbers_of_different_settings_are_refused(other):
    one = row("one", a=1.0)
    different = Row("two", "variant", {"a": {"lmd_px512": number(2.0, **other)}})
    check_comparable([one, one], "lmd_px512")
    with pytest.raises(ArtifactMismatch, match=next(iter(other))):
        check_comparable([one, different], "lmd_px512")


def test_other_clips_may_have_other_splits():
    rows = [Row("r", "variant", {c: {"lmd_px512": number(1.0, split=c)} for c in ("a", "b")})] * 2
    check_comparable(rows, "lmd_px512")


def test_only_cases_that_every_row_has_are_counted_and_nothing_is_never_zero():
    rows = [row("one", a=1.0, b=3.0), row("two", a=2.0, b=math.nan), row("none", a=math.nan)]
    counted = shared_cases(rows, "lmd_px512")
    assert counted == {"a"} and shared_cases(rows, "psnr_full") == set()
    assert [summarise(r, "lmd_px512", counted).value for r in rows[:2]] == [1.0, 2.0]
    empty = summarise(rows[2], "lmd_px512", counted)
    assert math.isnan(empty.value) and math.isnan(empty.low) and empty.cases == 0


def test_each_person_counts_once():
    assert mean_of_people(np.array([0.0, 0.0, 0.0, 4.0]), ["p", "p", "p", "q"]) == 2.0


def test_interval_covers_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(0)
    hits = []
    for trial in range(150):
        values = rng.normal(size=30)
        low, high = bootstrap(values, [str(i) for i in range(30)], seed=trial, resamples=300)
        hits.append(low < 0 < high)
    assert 0.88 < np.mean(hits) <= 0.99
    width = np.diff(bootstrap(values, [str(i) for i in range(30)])).item()
    assert width == pytest.approx(2 * 1.96 * values.std() / math.sqrt(30), rel=0.12)


def test_no_interval_of_one_clip_or_of_equal_pictures():
    assert all(map(math.isnan, bootstrap(np.array([1.0]), ["p"])))
    assert all(map(math.isnan, bootstrap(np.array([np.inf, np.inf]), ["p", "q"])))


def test_direction_is_the_metrics():
    assert worse_by("psnr_full", 20, 22) == 2 and worse_by("lmd_px512", 3, 2) == 1
    assert worse_by("lip_aperture_gain", 0.7, 1.1) == pytest.approx(0.2)
    assert math.isnan(worse_by("gaussians", 1, 2)) and math.isnan(worse_by("psnr_full", math.nan, 2))


def clips(name, *values):
    """A row of one clip a person, by PSNR."""
    cases = {str(k): {"psnr_full": number(value, person=str(k))} for k, value in enumerate(values)}
    return Row(name, "variant", cases)


def judged(*rows, largest=("no_a",), metric="psnr_full"):
    counted = {str(k) for k in range(9)}
    lost = drops({row.name: row for row in rows}, "full", metric, counted)
    [line] = judge({metric: lost}, "full", list(largest))
    return line


def test_drops_are_of_the_same_clips_and_hard_ones_do_not_blur_them():
    lost = drops(
        {"full": clips("full", 20.0, 40.0), "no_a": clips("no_a", 19.0, 39.0)}, "full", "psnr_full", {"0", "1"}
    )
    assert lost == {"no_a": Summary(1.0, 1.0, 1.0, 2)}
    assert drops({"full": clips("full", 20.0), "no_a": clips("no_a")}, "full", "psnr_full", {"0"})["no_a"].cases == 0


def test_claims_are_said_as_they_are():
    full, no_a, no_b = clips("full", 30.0, 30.0, 30.0), clips("no_a", 28.0, 27.0, 28.0), clips("no_b", 29.0, 29.0, 29.5)
    assert judged(full, no_a, no_b) == "psnr_full: full best holds; largest drops no_a hold"
    better = clips("no_b", 31.0, 31.0, 31.5)
    line = judged(full, no_a, better, largest=["no_b"])
    assert "does not hold (no_b is better by 1.17, beyond the noise)" in line and "are no_a instead" in line
    assert judged(full, no_a, metric="sync_c") == "sync_c: not measured"


def test_noise_is_called_noise():
    full, no_a = clips("full", 30.0, 30.0, 30.0), clips("no_a", 28.0, 27.0, 28.0)
    assert "holds (within the noise: no_b);" in judged(full, no_a, clips("no_b", 31.0, 29.0, 29.0))
    assert "(no_b is better by 0.333, within the noise)" in judged(full, no_a, clips("no_b", 29.0, 31.0, 31.0))
    alone = judged(clips("full", 30.0), clips("no_a", 31.0))
    assert "no_a is better by 1, of one clip" in alone


def test_what_was_not_measured_is_no_smaller_drop():
    line = judged(clips("full", 30.0, 30.0), clips("no_a"), clips("no_b", 29.0, 29.0))
    assert line.endswith("largest drops no_a cannot be told, no_a was not measured")
