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


def drops(rows: Mapping[str, Row], best: str, metric: str, counted: set[str]) -> dict[str, Summary]:
    """By how much every other row is worse than `best`, case by case, so that what makes a clip hard for all drops out: mean
    and interval as of `summarise`. Rows without a number are NaN.
    """
    found = {}
    for name, row in rows.items():
        if name == best:
            continue
        cases = sorted(row.known(metric) & rows[best].known(metric) & counted)
        pairs = [(row.cases[case][metric], rows[best].cases[case][metric]) for case in cases]
        values = np.array([worse_by(metric, one.value, other.value) for one, other in pairs])
        people = [one.person for one, _ in pairs]
        found[name] = (
            Summary(mean_of_people(values, people), *bootstrap(values, people), len(cases)) if cases else Summary()
        )
    return found


def judge(found: Mapping[str, Mapping[str, Summary]], best: str, largest: Sequence[str]) -> list[str]:
    """What the paper claims of an ablation against what was measured, one plain line a metric.

    `found` {metric: `drops` of the rows that leave something out}: the full model is `best`, those of `largest` lose most.
    A drop is within the noise where its interval has both signs; of a single clip there is no interval.
    """
    return [f"{metric}: {verdict(of_rows, best, largest)}" for metric, of_rows in found.items()]


def verdict(of_rows: Mapping[str, Summary], best: str, largest: Sequence[str]) -> str:
    """Both claims of one metric."""
    known = {row: drop for row, drop in of_rows.items() if not math.isnan(drop.value)}
    if not known:
        return "not measured"
    better = [f"{row} is better by {amount(drop)}" for row, drop in known.items() if drop.value < 0]
    noise = [row for row, drop in known.items() if drop.value >= 0 and drop.low <= 0 <= drop.high]
    first = f"does not hold ({'; '.join(better)})" if better else "holds"
    first += f" (within the noise: {', '.join(noise)})" if noise else ""
    order = sorted(known, key=lambda row: -known[row].value)[: len(largest)]
    if lacking := [row for row in largest if row not in known]:
        second = f"cannot be told, {', '.join(lacking)} was not measured"
    else:
        second = "hold" if set(order) == set(largest) else f"are {', '.join(order)} instead"
    return f"{best} best {first}; largest drops {', '.join(largest)} {second}"


def amount(drop: Summary) -> str:
    """The size of a drop below nothing, and whether it is more than noise."""
    told = "of one clip" if math.isnan(drop.low) else "within the noise" if drop.high >= 0 else "beyond the noise"
    return f"{-drop.value:.3g}, {told}"
