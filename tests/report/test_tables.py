"""Tables: order, dashes, directions, and settings that must not be mixed."""

import pandas as pd
import pytest

from emotag.report.tables import COLUMNS, MISSING, cell, markdown, metric_rows, wide

LABELS = {"identity": "i", "clip": "c", "crop": "512 px", "providers": "p", "seed": 0}


def rows(split="s"):
    avatar = metric_rows({"lmd_px512": 1.25, "psnr_head": 26.123}, variant="avatar", split=split, **LABELS)
    frozen = metric_rows({"psnr_head": 24.0, "lmd_px512": float("nan")}, variant="frozen", split="s", **LABELS)
    return pd.DataFrame(avatar + frozen)


def test_rows_are_complete():
    assert set(rows().columns) == set(COLUMNS)


def test_wide_keeps_declared_order():
    table = wide(rows())
    assert list(table.columns) == ["psnr_head", "lmd_px512"] and list(table.index) == ["avatar", "frozen"]


def test_different_splits_are_refused():
    with pytest.raises(ValueError, match="different splits"):
        wide(rows("other"))


def test_markdown_has_dash_arrow_and_definition():
    text = markdown(wide(rows()), "caption")
    assert "psnr_head ↑ (dB)" in text and f"| frozen | 24.00 | {MISSING} |" in text and "- `lmd_px512`:" in text


def test_cells():
    assert [cell(v) for v in (float("inf"), 0.0, 12.345, 0.1234)] == ["∞", "0.000", "12.35", "0.123"]
