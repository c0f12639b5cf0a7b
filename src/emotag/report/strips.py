"""Pictures in rows for print: methods under one another, the teacher's judgement, and the way from clip to avatar."""

from collections.abc import Mapping, Sequence

import matplotlib
import matplotlib.patheffects
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from emotag.report.plots import COLOURS, STYLE, TWO_COLUMNS_IN, figure
from emotag.types import EMOTIONS, NEUTRAL

# Emotions by colour and hatch; neutral is grey.
FILLS = {
    name: (colour, hatch)
    for name, colour, hatch in zip(
        EMOTIONS,
        (COLOURS[1], COLOURS[2], COLOURS[5], COLOURS[4], COLOURS[0], COLOURS[3], "#D8D8D8"),
        ("", "////", "", "....", "", "\\\\\\\\", ""),
        strict=True,
    )
}


def bare(axes: Axes, picture: np.ndarray) -> None:
    """A picture [H, W, 3] without ticks or frame."""
    axes.imshow(picture)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(False)
    for spine in axes.spines.values():
        spine.set_visible(False)


def strip(rows: Mapping[str, Sequence[np.ndarray]], times_s: Sequence[float]) -> Figure:
    """Fig. 1 and 5: one row a method, one column a moment, frames [H, W, 3] uint8."""
    with matplotlib.rc_context(STYLE):
        side = TWO_COLUMNS_IN / (len(times_s) + 0.3)
        drawn = figure(side * len(rows) + 0.25)
        grid = drawn.subplots(len(rows), len(times_s), squeeze=False)
        drawn.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
        for line, (name, frames) in zip(grid, rows.items(), strict=True):
            for axes, frame in zip(line, frames, strict=True):
                bare(axes, frame)
            line[0].set_ylabel(name.replace("_", " "))
        for axes, time in zip(grid[0], times_s, strict=True):
            axes.set_title(f"{time:.1f} s", pad=2)
        return drawn


def guidance(
    frames: Sequence[np.ndarray],
    moments_s: Sequence[float],
    times_s: np.ndarray,
    emotion: np.ndarray,
    gates: np.ndarray,
) -> Figure:
    """Fig. 6: frames in a strip over the teacher's probabilities [T, 7] as areas, with its intensity and the gate [T]."""
    with matplotlib.rc_context(STYLE):
        drawn = figure(3.3)
        upper, lower = drawn.subfigures(2, 1, height_ratios=(1, 1.5))
        for axes, frame, moment in zip(
            upper.subplots(1, len(frames), squeeze=False)[0], frames, moments_s, strict=True
        ):
            bare(axes, frame)
            axes.set_title(f"{moment:.1f} s", pad=2)
        axes = lower.subplots()
        # Neutral on top: the edge below it is the intensity.
        order = [name for name in EMOTIONS if name != EMOTIONS[NEUTRAL]] + [EMOTIONS[NEUTRAL]]
        areas = axes.stackplot(
            times_s, *(emotion[:, EMOTIONS.index(name)] for name in order), labels=order,
            colors=[FILLS[name][0] for name in order], linewidth=0.3, edgecolor="white",
        )  # fmt: skip
        for area, name in zip(areas, order, strict=True):
            area.set_hatch(FILLS[name][1])
        halo = [matplotlib.patheffects.withStroke(linewidth=3, foreground="white")]
        axes.plot(times_s, 1 - emotion[:, NEUTRAL], color="black", lw=1.4, label="intensity", path_effects=halo)
        axes.plot(times_s, gates, color="black", lw=1.4, ls=(0, (2, 1)), label="gate", path_effects=halo)
        axes.vlines(moments_s, 0, 1, color="black", lw=0.4)
        axes.set(xlim=(times_s[0], times_s[-1]), ylim=(0, 1), xlabel="time of the clip (s)", ylabel="probability")
        axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
        return drawn


def teacher(frames: Sequence[np.ndarray], emotion: np.ndarray, gates: np.ndarray) -> Figure:
    """Fig. 4: faces as the teacher sees them, its seven probabilities of each [N, 7], its intensity and the gate [N]."""
    with matplotlib.rc_context(STYLE):
        drawn = figure(2.6)
        grid = drawn.subplots(2, len(frames), squeeze=False, height_ratios=(1.3, 1))
        for number, frame in enumerate(frames):
            bare(grid[0][number], frame)
            told = f"intensity {1 - emotion[number, NEUTRAL]:.2f}\ngate {gates[number]:.2f}"
            grid[0][number].set_title(told, pad=2)
            axes = grid[1][number]
            for place, name in enumerate(EMOTIONS):
                colour, hatch = FILLS[name]
                axes.barh(place, emotion[number, place], color=colour, hatch=hatch, edgecolor="black", lw=0.4)
            axes.set(xlim=(0, 1), yticks=range(len(EMOTIONS)))
            axes.set_yticklabels(EMOTIONS if number == 0 else [])
            axes.invert_yaxis()
        grid[1][0].set_xlabel("probability")
        return drawn


def pipeline(
    pictures: Mapping[str, np.ndarray], energy_db: np.ndarray, units: np.ndarray, codes: np.ndarray, gates: np.ndarray
) -> Figure:
    """Fig. 3: what goes in (pictures "crop", sound, action units [T, A]), what is found (pictures "regions", "tracked
    head"), the motion [T, C] with its gate [T], and what comes out (picture "avatar"), all of one run."""
    with matplotlib.rc_context(STYLE | {"figure.constrained_layout.use": False}):
        drawn = figure(3.0)
        boxes = {}
        for name, x in (("crop", 0.01), ("regions", 0.19), ("tracked head", 0.37), ("avatar", 0.835)):
            boxes[name] = drawn.add_axes((x, 0.54, 0.155, 0.36))
            bare(boxes[name], pictures[name])
            boxes[name].set_title(name)
        rows = {"sound": energy_db, "action units": units, "motion": codes, "gate": gates}
        for (name, values), x in zip(rows.items(), (0.08, 0.28, 0.64, 0.85), strict=True):
            boxes[name] = drawn.add_axes((x, 0.1, 0.135, 0.24))
            panel(boxes[name], name, values)
        network = drawn.add_axes((0.555, 0.58, 0.245, 0.28))
        network.text(0.5, 0.5, "motion network\nbase + gate × residual", ha="center", va="center", fontsize=7)
        network.set(xticks=[], yticks=[])
        network.grid(False)
        network.spines[["top", "right"]].set_visible(True)
        boxes["network"] = network
        for pair in (
            ("crop", "regions"),
            ("regions", "tracked head"),
            ("tracked head", "network"),
            ("network", "avatar"),
        ):
            arrow(drawn, *(boxes[name] for name in pair))
        for name, x in (("sound", 0.59), ("action units", 0.59)):
            elbow(drawn, boxes[name], (x, 0.57))
        for name, x in (("motion", 0.7075), ("gate", 0.78)):
            elbow(drawn, boxes[name], (x, 0.57), down=True)
        return drawn


def panel(axes: Axes, name: str, values: np.ndarray) -> None:
    """A small curve [T] or image of channels over time [T, C]."""
    if values.ndim == 1:
        axes.plot(values, color=COLOURS[0], lw=0.7)
        axes.grid(False)
        axes.set_yticks([0, 1] if name == "gate" else [])
        if name == "gate":
            axes.set_ylim(-0.03, 1.03)
    else:
        axes.imshow(values.T, aspect="auto", cmap="cividis", interpolation="nearest")
        axes.set_yticks([])
        axes.grid(False)
    axes.set_xticks([])
    axes.set_xlabel("time")
    axes.set_title(name)


def arrow(drawn: Figure, start: Axes, end: Axes) -> None:
    """An arrow from the right edge of one panel to the left edge of another."""
    a, b = start.get_position(), end.get_position()
    _draw(drawn, (a.x1 + 0.004, (a.y0 + a.y1) / 2), (b.x0 - 0.004, (a.y0 + a.y1) / 2))


def elbow(drawn: Figure, axes: Axes, end: tuple[float, float], down: bool = False) -> None:
    """A bent line between a panel's upper edge and the point `end` above it; `down`: the arrow is at the panel."""
    box = axes.get_position()
    x, low, middle = (box.x0 + box.x1) / 2, box.y1 + 0.085, 0.48
    corners = [(x, low), (x, middle), (end[0], middle), end]
    corners = corners[::-1] if down else corners
    drawn.add_artist(matplotlib.lines.Line2D(*zip(*corners[:-1], strict=True), color="black", lw=0.8))
    _draw(drawn, *corners[-2:])


def _draw(drawn: Figure, start: tuple[float, float], end: tuple[float, float]) -> None:
    drawn.add_artist(
        matplotlib.patches.FancyArrowPatch(
            start, end, transform=drawn.transFigure, arrowstyle="-|>", mutation_scale=8, color="black", lw=0.8
        )
    )
