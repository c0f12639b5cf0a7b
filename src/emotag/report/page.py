"""The results page: summaries of many identities as tables, with what was asked of them and whether it was reached.

Nothing in it is written by hand but the remarks, which come from a file of their own.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from emotag.metrics.base import METRICS, OPTIONAL
from emotag.report.tables import MISSING, cell

VARIANTS = ("avatar", "frozen", "nearest", "upper_bound")
Summary = Mapping[str, Any]


def value(summary: Summary, *keys: str) -> float:
    """A number somewhere in a summary; NaN where it is absent or null."""
    found: Any = summary
    for key in keys:
        found = found.get(key) if isinstance(found, Mapping) else None
    return float(found) if isinstance(found, int | float) else math.nan


def lmd_over_frozen(summary: Summary) -> float:
    """Lip landmark distance of the avatar over that of the frozen mouth; under 1 is better than a still mouth."""
    lips = [value(summary, "metrics", variant, "lmd_px512") for variant in ("avatar", "frozen")]
    return lips[0] / lips[1] if lips[1] else math.nan


def of(*keys: str) -> Callable[[Summary], float]:
    """A reader of one number."""
    return lambda summary: value(summary, *keys)


@dataclass(frozen=True)
class Goal:
    """What is asked of a number: of every clip within [`low`, `high`], of the mean within [`mean_low`, …)."""

    name: str
    read: Callable[[Summary], float]
    low: float = -math.inf
    high: float = math.inf
    mean_low: float = -math.inf

    def asked(self) -> str:
        """The goal in words."""
        each = [f"≥ {self.low:g}"] * (self.low > -math.inf) + [f"≤ {self.high:g}"] * (self.high < math.inf)
        mean = [f"mean ≥ {self.mean_low:g}"] * (self.mean_low > -math.inf)
        return ", ".join(each + mean) or MISSING

    def missed(self, numbers: Mapping[str, float]) -> dict[str, float]:
        """Those of `numbers` by identity, and their "mean", that are not as asked; a missing number is not."""
        found = {name: number for name, number in numbers.items() if not self.low <= number <= self.high}
        if self.mean_low > -math.inf and numbers and not mean(numbers) >= self.mean_low:
            found["mean"] = mean(numbers)
        return found

    def reached(self, numbers: Mapping[str, float]) -> bool:
        """Whether all numbers and their mean are as asked."""
        return bool(numbers) and not self.missed(numbers)


GOALS = (
    Goal("tracking, inner 51 landmarks (of eye distance)", of("tracking", "inner51_iod"), high=0.02),
    Goal("upper bound, lip aperture correlation", of("metrics", "upper_bound", "lip_aperture_corr"), low=0.9),
    Goal("psnr_head (dB)", of("metrics", "avatar", "psnr_head"), low=25),
    Goal("LMD over frozen", lmd_over_frozen, high=0.85),
    Goal("lip aperture correlation", of("metrics", "avatar", "lip_aperture_corr"), low=0.5, mean_low=0.6),
    Goal("lip width correlation", of("metrics", "avatar", "lip_width_corr"), mean_low=0.45),
    Goal("lip aperture gain", of("metrics", "avatar", "lip_aperture_gain"), low=0.6, high=1.4),
    Goal("wall clock without shared work (min)", lambda s: value(s, "wall_s", "all") / 60, high=20),
)


def mean(numbers: Mapping[str, float]) -> float:
    """Mean over identities; NaN if one is missing or there is none."""
    return sum(numbers.values()) / len(numbers) if numbers else math.nan


def page(summaries: Mapping[str, Summary], failures: Mapping[str, str], remarks: str = "") -> str:
    """Markdown. `summaries` by identity; `failures` says why an identity has none; `remarks` are put below the head."""
    told = (
        f"Made by `make bench-clips` at commit {stated(summaries, 'commit')}, preset {stated(summaries, 'preset')}; "
        "every number is of unseen frames of the decoded video."
    )
    lines = ["# Results", "", told, "", *([remarks.strip(), ""] if remarks.strip() else [])]
    lines += shortfalls(summaries)
    lines += goals_table(summaries)
    tables = {name: metric_table(summaries, name) for name in METRICS}
    for table in tables.values():
        lines += table
    # Of optional metrics, those that were measured.
    shown = [metric for name, metric in METRICS.items() if tables[name] or name not in OPTIONAL]
    lines += ["## Definitions", "", *(f"- `{metric.name}`: {metric.definition}." for metric in shown), ""]
    if failures:
        lines += ["## Not made", "", *(f"- {identity}: {why}" for identity, why in failures.items()), ""]
    return "\n".join(lines)


def stated(summaries: Mapping[str, Summary], key: str) -> str:
    """What the summaries say under `key`: once where they agree, else with the identities that say so."""
    said: dict[str, list[str]] = {}
    for identity, summary in summaries.items():
        said.setdefault(str(summary.get(key, "unknown")), []).append(identity)
    if len(said) <= 1:
        return next(iter(said), "unknown")
    return "; ".join(f"{word} ({', '.join(identities)})" for word, identities in said.items())


def shortfalls(summaries: Mapping[str, Summary]) -> list[str]:
    """Every line of the goals that is not reached, with the figures that miss it."""
    lines = []
    for goal in GOALS:
        missed = goal.missed(readings(goal, summaries))
        if missed:
            figures = ", ".join(f"{name} {cell(number)}" for name, number in missed.items())
            lines.append(f"- {goal.name}, asked {goal.asked()}: {figures}.")
    title = "What falls short:" if lines else "Everything asked for is reached." if summaries else "Nothing was made."
    return [title, "", *lines, *([""] if lines else [])]


def readings(goal: Goal, summaries: Mapping[str, Summary]) -> dict[str, float]:
    """A goal's number by identity."""
    return {identity: goal.read(summary) for identity, summary in summaries.items()}


def goals_table(summaries: Mapping[str, Summary]) -> list[str]:
    """One row a goal, one column an identity."""
    lines = ["## What was asked, and what was reached", "", *head(["", "asked", *summaries, "mean", "reached"])]
    for goal in GOALS:
        numbers = readings(goal, summaries)
        told = "yes" if goal.reached(numbers) else "no"
        lines.append(row([goal.name, goal.asked(), *map(cell, [*numbers.values(), mean(numbers)]), told]))
    return [*lines, ""]


def metric_table(summaries: Mapping[str, Summary], metric: str) -> list[str]:
    """One row a variant, one column an identity; nothing where no summary has the metric."""
    table = {v: [value(summary, "metrics", v, metric) for summary in summaries.values()] for v in VARIANTS}
    if all(math.isnan(number) for numbers in table.values() for number in numbers):
        return []
    unit = f" ({METRICS[metric].unit})" if METRICS[metric].unit else ""
    rows = [row([variant, *map(cell, numbers)]) for variant, numbers in table.items()]
    return [f"## {metric}{unit}", "", *head(["variant", *summaries]), *rows, ""]


def head(names: list[str]) -> list[str]:
    """Header and rule of a Markdown table."""
    return [row(names), "| --- " + "| ---: " * (len(names) - 1) + "|"]


def row(cells: list[str]) -> str:
    """One line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"
