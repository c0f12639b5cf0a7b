"""The table of `emotag.bench.prior_choice`, and what it says on average."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

COLUMNS = (
    "clip", "person", "seconds", "prior", "model", "way", "test_seconds", "lip_aperture_corr", "lip_width_corr",
    "lip_aperture_gain", "lmd_px512", "frozen_lmd_px512", "ceiling_corr", "aue_l", "aue_u", "drift_frames",
    "synced_aperture_corr", "synced_lmd_px512", "visemes", "kept",
)  # fmt: skip
CASE = ("prior", "model", "way", "visemes")
# What an avatar does unless it is told otherwise, but for a ridge whose visemes do not know the person.
DEFAULT = ("synthetic", "ridge+articulation", "map", "of others")
AVERAGED = (
    "lip_aperture_corr", "lip_width_corr", "lip_aperture_gain", "lmd_over_frozen", "synced_aperture_corr",
    "synced_lmd_over_frozen",
)  # fmt: skip
LEAST_S, DRAWS = 3.0, 2000

Row = Mapping[str, object]
Values = dict[str, np.ndarray]


def table(rows: Iterable[Row]) -> str:
    """The CSV."""
    lines = [",".join(COLUMNS), *(",".join(str(row[name]) for name in COLUMNS) for row in rows)]
    return "\n".join(lines) + "\n"


def means(rows: Sequence[Row]) -> list[str]:
    """Of each case over the clips with `LEAST_S` or more of test (one a person): mean, 95 % interval and worst aperture, and
    the mean difference from the default on the same clips; then means over the shorter clips, weighted by their seconds.

    Intervals are of clips drawn with replacement: a clip is a block.
    """
    long, short = (
        [row for row in rows if (float(row["test_seconds"]) >= LEAST_S) == wanted] for wanted in (True, False)
    )
    usual, lines = values_of(long, DEFAULT), []
    for case in dict.fromkeys(case_of(row) for row in long):
        found = values_of(long, case)
        lines.append(
            f"{named(case)} ({len(found['clip'])} clips): " + ", ".join(map(interval, AVERAGED, columns(found)))
        )
        lines[-1] += f", worst aperture {found['lip_aperture_corr'].min():.3f}"
        if case != DEFAULT and list(found["clip"]) == list(usual["clip"]):
            gained = [found[name] - usual[name] for name in AVERAGED]
            lines.append("    over the default: " + ", ".join(map(interval, AVERAGED, gained)))
    for case in dict.fromkeys(case_of(row) for row in short):
        found = values_of(short, case)
        weighted = (np.average(found[name], weights=found["test_seconds"]) for name in AVERAGED)
        said = ", ".join(f"{name} {value:.3f}" for name, value in zip(AVERAGED, weighted, strict=True))
        lines.append(
            f"shorter: {named(case)} ({len(found['clip'])} clips, {found['test_seconds'].sum():.1f} s): {said}"
        )
    return lines


def case_of(row: Row) -> tuple[str, ...]:
    """What of a row is averaged together."""
    return tuple(str(row[name]) for name in CASE)


def named(case: tuple[str, ...]) -> str:
    """For reading."""
    return ", ".join(filter(None, case))


def values_of(rows: Sequence[Row], case: tuple[str, ...]) -> Values:
    """Columns of the rows of one case, by clip."""
    chosen = sorted((row for row in rows if case_of(row) == case), key=lambda row: str(row["clip"]))
    lmd = {name + "lmd_over_frozen": name + "lmd_px512" for name in ("", "synced_")}
    names = ("test_seconds", *(lmd.get(name, name) for name in AVERAGED), "frozen_lmd_px512")
    found = {name: np.array([float(row[name]) for row in chosen]) for name in names}
    clips = np.array([row["clip"] for row in chosen])
    return found | {"clip": clips} | {ratio: found[name] / found["frozen_lmd_px512"] for ratio, name in lmd.items()}


def columns(values: Values) -> list[np.ndarray]:
    """Those that are averaged."""
    return [values[name] for name in AVERAGED]


def interval(name: str, values: np.ndarray) -> str:
    """Mean and 95 % bootstrap interval of `values` [clips]."""
    index = np.random.default_rng(0).integers(len(values), size=(DRAWS, len(values)))
    low, high = np.percentile(values[index].mean(1), [2.5, 97.5])
    return f"{name} {values.mean():.3f} [{low:.3f}, {high:.3f}]"
