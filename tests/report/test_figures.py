"""Figures: what is drawn is what was given, and the same data give the same bytes."""

import json

import numpy as np
import pytest
from PIL import Image

from emotag.artifacts import Speech
from emotag.errors import ArtifactMismatch
from emotag.report import plots, strips
from emotag.stages import curves, figures
from emotag.types import EMOTIONS, NEUTRAL

RNG = np.random.default_rng(0)
FRAMES = [np.full((32, 32, 3), 40 * k, np.uint8) for k in range(6)]
EMOTION = RNG.dirichlet(np.ones(7), 50)
GATES = RNG.uniform(0, 1, 50)


def test_mouth_openings_and_their_deviations():
    clips = {"neutral": RNG.normal(0.1, 0.02, (40, 4)), "emotional": RNG.normal(0.1, 0.05, (60, 4))}
    drawn = plots.mouth(clips)
    vertical, horizontal = drawn.axes
    for axes, channel in ((vertical, 0), (horizontal, 1)):
        for line, (name, measures) in zip(axes.lines, clips.items(), strict=True):
            np.testing.assert_allclose(line.get_ydata(), 100 * measures[:, channel])
            np.testing.assert_allclose(line.get_xdata(), np.arange(len(measures)) / 25)
            assert line.get_label() == f"{name}: standard deviation {100 * np.std(measures[:, channel]):.2f}"
    assert vertical.lines[0].get_linestyle() != vertical.lines[1].get_linestyle()


def test_gate_is_told_with_its_correlations():
    intensity = 1 - EMOTION[:, NEUTRAL]
    drawn = plots.gate(np.arange(50) / 25, np.linspace(-50, -20, 50), intensity, intensity / 2)
    assert "1.00 with the teacher" in drawn.axes[0].get_title(loc="left")
    np.testing.assert_allclose(drawn.axes[2].lines[0].get_ydata(), intensity / 2)
    assert np.isnan(plots.agreement(np.ones(5), np.arange(5)))


def test_silence_does_not_flatten_the_sound():
    drawn = plots.gate(np.arange(3) / 25, np.array([-100.0, -30, -20]), np.zeros(3), np.zeros(3))
    assert min(drawn.axes[0].lines[0].get_ydata()) == -80


def test_strip_has_every_method_and_moment():
    drawn = strips.strip({"ground truth": FRAMES, "upper_bound": FRAMES[::-1]}, [k / 2 for k in range(6)])
    assert len(drawn.axes) == 12
    assert [axes.get_ylabel() for axes in drawn.axes[::6]] == ["ground truth", "upper bound"]
    np.testing.assert_array_equal(drawn.axes[7].images[0].get_array(), FRAMES[4])


def test_guidance_leaves_the_intensity_below_neutral():
    """The edge between the neutral area and the others is 1 - p(neutral), whatever the order of the emotions."""
    drawn = strips.guidance(FRAMES, [k / 5 for k in range(6)], np.arange(50) / 25, EMOTION, GATES)
    axes = drawn.axes[-1]
    edge, gate = (line.get_ydata() for line in axes.lines)
    np.testing.assert_allclose(edge, 1 - EMOTION[:, NEUTRAL])
    np.testing.assert_allclose(gate, GATES)
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert set(names) == {*EMOTIONS, "intensity", "gate"}
    below = axes.collections[5].get_paths()[0].vertices[:, 1]
    assert below.max() == pytest.approx(edge.max())


def test_teacher_bars_are_its_probabilities():
    drawn = strips.teacher(FRAMES[:3], EMOTION[:3], GATES[:3])
    bars = [patch.get_width() for patch in drawn.axes[3].patches]
    np.testing.assert_allclose(bars, EMOTION[0])


def test_pictures_are_the_same_for_the_same_data(tmp_path):
    for name in ("a", "b"):
        drawn = strips.pipeline(
            dict.fromkeys(("crop", "regions", "tracked head", "avatar"), FRAMES[2]),
            np.zeros(50), RNG.uniform(size=(50, 17)) * 0, np.zeros((50, 41)), np.zeros(50),
        )  # fmt: skip
        plots.save(drawn, tmp_path / f"{name}.png", tmp_path / f"{name}.pdf")
    for kind in ("png", "pdf"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    assert Image.open(tmp_path / "a.png").width == 1400


def test_curves_count_a_repeated_step_once(tmp_path):
    folder = tmp_path / "state" / "print"
    folder.mkdir(parents=True)
    records = [("static", 20, 4.0), ("static", 40, 3.0), ("static", 40, 2.0), ("joint", 20, 1.0)]
    lines = [json.dumps({"phase": p, "step": s, "losses": {"loss": v, "scale": 0.0}}) for p, s, v in records]
    (folder / "progress.jsonl").write_text("\n".join(lines) + "\n")
    phases = curves.read(curves.newest(tmp_path / "state"))
    drawn = plots.curves(phases)
    assert [axes.get_title(loc="left") for axes in drawn.axes] == ["static", "joint"]
    assert list(drawn.axes[0].lines[0].get_ydata()) == [4.0, 2.0]
    with pytest.raises(ArtifactMismatch, match="no progress"):
        curves.newest(tmp_path)


def test_sound_is_taken_at_the_video_s_times():
    speech = Speech(np.zeros((100, 2)), np.zeros(100), np.zeros(100), np.arange(100.0), "x", "y")
    # Token k stands for the 20 ms from k/50 s on; a video two frames late shows now what was heard 80 ms ago.
    np.testing.assert_allclose(figures.energy(speech, np.array([0.41, 1.01]), 0.0), [20, 50])
    np.testing.assert_allclose(figures.energy(speech, np.array([0.41, 1.01]), 2.0), [16, 46])


def test_regions_have_colours_of_their_own():
    picture = figures.coloured(np.arange(9, dtype=np.uint8)[None])
    assert len({tuple(pixel) for pixel in picture[0]}) == 9 and tuple(picture[0, 0]) == (255, 255, 255)
