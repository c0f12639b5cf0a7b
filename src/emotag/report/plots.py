"""Curves for print: mouth openings, the gate beside sound and teacher, and learning curves.

One column of a paper is 3.4 in wide, two are 7. Colours are Okabe and Ito's, which colour-blind readers tell apart; lines
differ in their dashes too, so that they hold in grey.
"""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.figure import Figure

from emotag.io.artifact import write_atomic
from emotag.types import FPS

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#8A7A00")
DASHES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (8, 2)))
TWO_COLUMNS_IN = 7.0
STYLE = {
    "font.size": 8, "axes.labelsize": 8, "axes.titlesize": 8, "legend.fontsize": 7, "xtick.labelsize": 7,
    "ytick.labelsize": 7, "lines.linewidth": 1.1, "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "grid.alpha": 0.25, "grid.linewidth": 0.5, "savefig.dpi": 200, "pdf.fonttype": 42,
    "svg.hashsalt": "emotag", "figure.constrained_layout.use": True,
}  # fmt: skip


def save(figure: Figure, *paths: Path) -> None:
    """Write a figure by its files' suffixes (png, pdf, svg): the same data give the same bytes."""
    nothing = {
        "png": {"Software": None},
        "pdf": {"CreationDate": None, "Producer": None, "Creator": None},
        "svg": {"Date": None},
    }
    for path in paths:
        kind = path.suffix.removeprefix(".")
        buffer = io.BytesIO()
        with matplotlib.rc_context({name: STYLE[name] for name in ("savefig.dpi", "pdf.fonttype", "svg.hashsalt")}):
            figure.savefig(buffer, format=kind, metadata=nothing[kind])
        write_atomic(path, buffer.getvalue())


def figure(height_in: float, width_in: float = TWO_COLUMNS_IN) -> Figure:
    """An empty figure in the house style (use inside `rc_context(STYLE)`)."""
    return Figure(figsize=(width_in, height_in))


def mouth(clips: Mapping[str, np.ndarray]) -> Figure:
    """Fig. 2: vertical and horizontal mouth opening over time of several clips, each with its standard deviation. Openings are
    in percent of the distance between the outer corners of the eyes.

    Args: `clips`: by name, lip measures [T, 4] (aperture, width, …) in outer-eye distances.
    """
    with matplotlib.rc_context(STYLE):
        drawn = figure(3.4)
        rows = drawn.subplots(2, 1, sharex=True)
        for axes, channel, name in zip(rows, (0, 1), ("vertical", "horizontal"), strict=True):
            for number, (clip, measures) in enumerate(clips.items()):
                series = 100 * measures[:, channel]
                told = f"{clip}: standard deviation {series.std():.2f}"
                axes.plot(np.arange(len(series)) / FPS, series, color=COLOURS[number], ls=DASHES[number], label=told)
            axes.set_ylabel(f"{name} opening\n(% of eye distance)")
            axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, frameon=False, borderaxespad=0.2)
        rows[-1].set_xlabel("time (s)")
        return drawn


def gate(times_s: np.ndarray, energy_db: np.ndarray, intensity: np.ndarray, gates: np.ndarray) -> Figure:
    """The gate [T] 0 to 1 over time beside the sound's energy [T] dB and the teacher's intensity [T] 0 to 1."""
    with matplotlib.rc_context(STYLE):
        drawn = figure(3.2)
        rows = drawn.subplots(3, 1, sharex=True)
        # Digital silence is -100 dB and more: speech would be a line at the upper edge.
        shown = np.maximum(energy_db, np.max(energy_db) - 60)
        names = ("sound (dB)", "teacher's\nintensity", "gate")
        for axes, values, name, colour in zip(rows, (shown, intensity, gates), names, COLOURS, strict=False):
            axes.plot(times_s, values, color=colour)
            axes.set_ylabel(name)
        for axes in rows[1:]:
            axes.set_ylim(-0.03, 1.03)
        told = f"gate: r = {agreement(gates, shown):.2f} with the sound, {agreement(gates, intensity):.2f} with the teacher"
        rows[0].set_title(told, loc="left")
        rows[-1].set_xlabel("time of the clip (s)")
        drawn.align_ylabels(rows)
        return drawn


def agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson correlation; NaN where one does not change."""
    return float(np.corrcoef(a, b)[0, 1]) if np.std(a) > 0 and np.std(b) > 0 else float("nan")


def curves(phases: Mapping[str, Sequence[Mapping]]) -> Figure:
    """Learning curves: one panel a phase, each loss on a logarithmic axis over its steps.

    Args: `phases`: by name, records {step, losses} of progress.jsonl.
    """
    with matplotlib.rc_context(STYLE):
        drawn = figure(2.9)
        panels = drawn.subplots(1, len(phases), squeeze=False)[0]
        names = sorted({name for records in phases.values() for record in records for name in record["losses"]})
        for axes, (phase, records) in zip(panels, phases.items(), strict=True):
            for number, name in enumerate(names):
                found = [(r["step"], r["losses"][name]) for r in records if r["losses"].get(name, 0) > 0]
                if found:
                    steps, values = zip(*found, strict=True)
                    style = {"color": COLOURS[number % len(COLOURS)], "ls": DASHES[number // len(COLOURS)]}
                    wide = 2.0 if name == "loss" else 1.0
                    axes.plot(steps, values, label=name, lw=wide, **style)
            axes.set_yscale("log")
            axes.set_title(phase, loc="left")
            axes.set_xlabel("step")
        panels[0].set_ylabel("loss (terms unweighted)")
        lines = {text: line for axes in panels for line, text in zip(*axes.get_legend_handles_labels(), strict=True)}
        drawn.legend(lines.values(), lines.keys(), loc="outside right upper", frameon=False)
        return drawn
