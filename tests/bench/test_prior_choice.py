"""Priors from sums over people are the ridges of their frames, and the table keeps its rows."""

import csv

import numpy as np

from emotag.bench.prior_choice import COLUMNS, Moments, means, sum_of, table
from emotag.motion import closed_form
from emotag.motion.prior import RIDGE, clip_weight


def test_sums_of_people_give_the_ridge_of_all_their_frames():
    random = np.random.default_rng(0)
    clips = [(random.normal(size=(n, 6)) + 3, random.normal(size=(n, 2))) for n in (100, 400, 30)]
    solved, moment = sum_of([Moments.of(x, y) for x, y in clips]).ridge()
    x, y = (np.concatenate([clip[i] - clip[i].mean(0) for clip in clips]) for i in (0, 1))
    weights = np.concatenate([np.full(len(inputs), clip_weight(len(inputs))) for inputs, _ in clips])
    expected = closed_form.moment(x, weights, RIDGE)
    np.testing.assert_allclose(moment, expected)
    np.testing.assert_allclose(solved, closed_form.ridge_regression(x, y, weights, expected))


def test_a_ridge_with_its_moment_gives_its_sums_back():
    random = np.random.default_rng(1)
    sums = Moments.of(random.normal(size=(200, 5)), random.normal(size=(200, 3)))
    solved, moment = sums.ridge()
    outer = moment - RIDGE / (1 + RIDGE) * np.trace(moment) / len(moment) * np.eye(len(moment))
    np.testing.assert_allclose(outer * sums.weight, sums.inputs)
    np.testing.assert_allclose(moment @ solved * sums.weight, sums.targets)


def test_rows_survive_the_file_and_means_have_intervals():
    values = dict.fromkeys(COLUMNS, 0.0) | {
        "model": "ridge",
        "prior": "both",
        "way": "map",
        "frozen_lmd_px512": 2.0,
        "test_seconds": 5.0,
    }
    rows = [values | {"clip": f"c{i}", "lip_aperture_corr": 0.5 + 0.1 * i, "lmd_px512": 1.0} for i in range(3)]
    again = list(csv.DictReader(table(rows).splitlines()))
    assert [row["clip"] for row in again] == ["c0", "c1", "c2"]
    (line,) = means([*again, again[0] | {"test_seconds": "1.0", "lip_aperture_corr": "-1"}])
    assert "both, map (3 clips)" in line and "lip_aperture_corr 0.600 [" in line
    assert "lmd_over_frozen 0.500 [0.500, 0.500]" in line
    assert line == means(rows)[0]
