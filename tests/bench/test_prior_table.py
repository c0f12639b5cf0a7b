"""Rows survive the file; means are over clips that are long enough, beside the default on the same clips."""

import csv

from emotag.bench.prior_table import COLUMNS, DEFAULT, means, table


def row(clip, aperture, lmd, case=DEFAULT, seconds=5.0):
    values = dict.fromkeys(COLUMNS, 0.0) | dict(zip(("prior", "model", "way", "visemes"), case, strict=True))
    return values | {
        "clip": clip,
        "lip_aperture_corr": aperture,
        "lmd_px512": lmd,
        "frozen_lmd_px512": 2.0,
        "synced_lmd_px512": 0.9 * lmd,
        "test_seconds": seconds,
    }


def test_means_intervals_and_what_is_gained():
    other = ("real", "grmn", "adain", "")
    rows = [row(f"c{i}", 0.5 + 0.1 * i, 1.0) for i in range(3)]
    rows += [row(f"c{i}", 0.6 + 0.1 * i, 1.2, other) for i in range(3)]
    rows += [row("s0", 0.2, 1.0, seconds=1.0), row("s1", 0.5, 1.0, seconds=2.0)]
    again = list(csv.DictReader(table(rows).splitlines()))
    assert [r["clip"] for r in again] == [r["clip"] for r in rows]
    first, second, gained, shorter = means(again)
    assert first.startswith("synthetic, ridge+articulation, map, of others (3 clips): lip_aperture_corr 0.600 [0.5")
    assert "lmd_over_frozen 0.500 [0.500, 0.500]" in first and first.endswith("worst aperture 0.500")
    assert "synced_lmd_over_frozen 0.450 [0.450, 0.450]" in first
    assert second.startswith("real, grmn, adain (3 clips): lip_aperture_corr 0.700 [")
    assert "lip_aperture_corr 0.100 [0.100, 0.100]" in gained and "lmd_over_frozen 0.100 [0.100, 0.100]" in gained
    assert "(2 clips, 3.0 s): lip_aperture_corr 0.400" in shorter
    assert means(rows) == means(again)
