"""Rows of a table from metric rows of many runs: comparable ones only, means over people, intervals over clips.

A case is one avatar on one drive. A row's number is the mean over the people that every row with any number has, a
person's being the mean over their cases; its interval is a bootstrap that draws people and their clips (cases) as blocks,
because frames of one clip are not independent. What is not there is NaN and prints as a dash.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from emotag.errors import ArtifactMismatch
from emotag.metrics.base import METRICS

RESAMPLES = 2000
COVERAGE = 0.95
# What may not differ between the numbers of one column.
SETTINGS = ("definition", "unit", "crop", "providers")


@dataclass(frozen=True)
class Number:
    """One metric of one case, with all that must agree before it may stand beside another; `source` is the file it is of."""

    value: float
    person: str
    split: str
    source: str
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """A row: its name, what it is (ground_truth, baseline, variant, external), and {case: {metric: number}}."""

    name: str
    kind: str
    cases: Mapping[str, Mapping[str, Number]]
    notes: Mapping[str, str] = field(default_factory=dict)

    def known(self, metric: str) -> set[str]:
        """Cases in which it has a number."""
        found = ((case, numbers.get(metric)) for case, numbers in self.cases.items())
        return {case for case, number in found if number is not None and not math.isnan(number.value)}


@dataclass(frozen=True)
class Summary:
    """Mean, its interval (NaN with fewer than two cases), how many cases it is of."""

    value: float = math.nan
    low: float = math.nan
    high: float = math.nan
    cases: int = 0


def check_comparable(rows: Sequence[Row], metric: str) -> None:
    """Refuse a column whose numbers are of different definitions, crops, providers or, in one case, of different frames.

    Raises:
        ArtifactMismatch: names both files and what differs.
    """
    first: Number | None = None
    splits: dict[str, Number] = {}
    for row in rows:
        for case, numbers in row.cases.items():
            number = numbers.get(metric)
            if number is None:
                continue
            first = first or number
            for key in SETTINGS:
                _same(metric, key, first, number, first.settings.get(key), number.settings.get(key))
            one = splits.setdefault(case, number)
            _same(metric, "split", one, number, one.split, number.split)


def _same(metric: str, key: str, one: Number, other: Number, first: str | None, second: str | None) -> None:
    if first != second:
        raise ArtifactMismatch(
            f"{other.source}: {metric} has {key} {second!r}, but {one.source} has {first!r}; numbers of different settings "
            "cannot stand in one column: measure all rows again with the same settings"
        )


def shared_cases(rows: Sequence[Row], metric: str) -> set[str]:
    """Cases that count in a column: those in which every row that has any number has one."""
    known = [cases for row in rows if (cases := row.known(metric))]
    return set.intersection(*known) if known else set()


def summarise(row: Row, metric: str, counted: set[str], seed: int = 0) -> Summary:
    """A row's number over the `counted` cases."""
    cases = sorted(row.known(metric) & counted)
    if not cases:
        return Summary()
    numbers = [row.cases[case][metric] for case in cases]
    values, people = np.array([n.value for n in numbers]), [n.person for n in numbers]
    low, high = bootstrap(values, people, seed)
    return Summary(mean_of_people(values, people), low, high, len(cases))


def mean_of_people(values: np.ndarray, people: Sequence[str]) -> float:
    """Mean over people of each person's mean; infinite values (equal pictures) stay infinite."""
    names = np.array(people)
    with np.errstate(invalid="ignore"):
        return float(np.mean([values[names == name].mean() for name in dict.fromkeys(people)]))


def bootstrap(
    values: np.ndarray, people: Sequence[str], seed: int = 0, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """95 % percentile interval of `mean_of_people` when people, and each one's cases, are drawn with replacement; NaN for
    fewer than two cases, or for numbers that are not finite.
    """
    if len(values) < 2 or not np.isfinite(values).all():
        return math.nan, math.nan
    generator, names = np.random.default_rng(seed), np.array(people)
    of_person = [values[names == name] for name in dict.fromkeys(people)]
    # One mean a resample and person, of that person's cases drawn anew each time that the person is drawn.
    drawn = generator.integers(0, len(of_person), (resamples, len(of_person)))
    means = np.empty(drawn.shape)
    for index, own in enumerate(of_person):
        chosen = drawn == index
        means[chosen] = own[generator.integers(0, len(own), (chosen.sum(), len(own)))].mean(1)
    means = means.mean(1)
    low, high = np.quantile(means, [(1 - COVERAGE) / 2, (1 + COVERAGE) / 2])
    return float(low), float(high)


def worse_by(metric: str, row: float, than: float) -> float:
    """By how much a row is worse than another in a metric's own direction; NaN where it has none or a number is missing."""
    declared = METRICS[metric]
    if declared.higher_is_better is None:
        ideal = declared.ideal
        return math.nan if ideal is None else abs(row - ideal) - abs(than - ideal)
    return than - row if declared.higher_is_better else row - than


def judge(
    numbers: Mapping[str, Mapping[str, float]], best: str, largest: Sequence[str], metrics: Sequence[str]
) -> list[str]:
    """What the paper claims of an ablation against what was measured, one plain line a metric.

    `numbers` {row: {metric: value}}: the full model `best` and the rows that leave something out.
    """
    lines = []
    for metric in metrics:
        drops = {
            row: worse_by(metric, found.get(metric, math.nan), numbers.get(best, {}).get(metric, math.nan))
            for row, found in numbers.items()
            if row != best
        }
        drops = {row: drop for row, drop in drops.items() if not math.isnan(drop)}
        if not drops:
            lines.append(f"{metric}: not measured")
            continue
        better = [row for row, drop in drops.items() if drop < 0]
        order = sorted(drops, key=lambda row: -drops[row])
        first = "holds" if not better else f"does not hold ({', '.join(better)} better than {best})"
        second = (
            "hold" if set(order[: len(largest)]) == set(largest) else f"are {', '.join(order[: len(largest)])} instead"
        )
        lines.append(f"{metric}: {best} best {first}; largest drops {', '.join(largest)} {second}")
    return lines
