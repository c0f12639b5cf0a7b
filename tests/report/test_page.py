import math

import pytest

from emotag.report.page import GOALS, Goal, lmd_over_frozen, page, shortfalls, value


def summary(**avatar):
    numbers = {"psnr_head": 26.0, "lmd_px512": 2.0, "lip_aperture_corr": 0.7, "lip_width_corr": 0.5} | avatar
    others = {"frozen": {"lmd_px512": 4.0}, "upper_bound": {"lip_aperture_corr": 0.95}}
    return {"metrics": {"avatar": numbers, **others}, "tracking": {"inner51_iod": 0.01}, "wall_s": {"all": 600}}


def test_values_that_are_absent_or_null_are_nan():
    assert value({"a": {"b": 2}}, "a", "b") == 2
    assert all(math.isnan(value({"a": {"b": None}}, *keys)) for keys in (("a", "b"), ("a", "c"), ("x",)))


def test_lip_distance_is_told_relative_to_a_still_mouth():
    assert lmd_over_frozen(summary()) == 0.5
    assert math.isnan(lmd_over_frozen({}))


@pytest.mark.parametrize(
    ("numbers", "reached"),
    [([0.6, 0.8], True), ([0.5, 0.6], False), ([0.4, 0.9], False), ([0.7, math.nan], False), ([], False)],
)
def test_a_goal_asks_each_and_the_mean(numbers, reached):
    by_name = dict(zip("abc", numbers, strict=False))
    assert Goal("x", lambda s: 0.0, low=0.5, mean_low=0.6).reached(by_name) is reached


def test_what_is_missed_is_told_with_its_figures():
    goal = Goal("x", lambda s: 0.0, low=0.5, mean_low=0.6)
    assert goal.missed({"a": 0.4, "b": 0.6}) == {"a": 0.4, "mean": 0.5}
    assert goal.missed({"a": 0.6, "b": 0.7}) == {}
    good = summary(lip_aperture_gain=1.0)
    lines = shortfalls({"a": good, "b": good | {"wall_s": {"all": 1500}}, "c": good | {"tracking": {}}})
    assert lines[0] == "What falls short:"
    assert "- wall clock without shared work (min), asked ≤ 20: b 25.00." in lines
    assert "- tracking, inner 51 landmarks (of eye distance), asked ≤ 0.02: c –." in lines
    assert len(lines) == 5 and shortfalls({"a": good})[0] == "Everything asked for is reached."


def test_commit_preset_and_remarks_stand_at_the_head():
    same = {name: summary() | {"commit": "abc1234", "preset": "laptop"} for name in "ab"}
    text = page(same, {}, "A remark.\n")
    assert "at commit abc1234, preset laptop; every" in text and "\n\nA remark.\n\nWhat falls short:" in text
    same["b"]["commit"] = "def5678, dirty"
    assert "commit abc1234 (a); def5678, dirty (b), preset laptop" in page(same, {})
    assert "commit unknown" in page({"a": summary()}, {})


def test_page_says_what_was_reached_and_what_could_not_be_made():
    text = page({"a": summary(), "b": summary(psnr_head=20.0)}, {"c": "error (crop): no face"})
    assert "| psnr_head (dB) | ≥ 25 | 26.00 | 20.00 | 23.00 | no |" in text
    assert "| LMD over frozen | ≤ 0.85 | 0.500 | 0.500 | 0.500 | yes |" in text
    assert "| avatar | 26.00 | 20.00 |" in text and "| frozen | – | – |" in text
    assert "- c: error (crop): no face" in text


def test_every_goal_reads_a_complete_summary():
    assert [goal.name for goal in GOALS if math.isnan(goal.read(summary(lip_aperture_gain=1.0)))] == []
