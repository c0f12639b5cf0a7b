"""A whole table from metric rows on disk: what it holds, what it refuses, and that nothing missing becomes a number."""

import csv
import json
import math

import pandas as pd
import pytest

from emotag.errors import ArtifactMismatch
from emotag.report.tables import metric_rows
from emotag.stages import table

COLUMNS = ["psnr_head", "lmd_px512", "lpips_full", "sync_c", "train_min"]
LABELS = {"clip": "c", "providers": "p", "seed": 0}


def measured(path, values, identity="me", split="c[0:9]", crop="512 px"):
    """A metrics file: {variant: (PSNR, LMD)}; LPIPS was asked for and is missing."""
    rows = []
    for variant, (psnr, lmd) in values.items():
        scores = {"psnr_head": psnr, "lmd_px512": lmd, "lpips_full": math.nan}
        rows += metric_rows(scores, variant=variant, identity=identity, split=split, crop=crop, **LABELS)
    path.parent.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_parquet(path, index=False)


def described(folder, rows, expect=None):
    """The plan of a table: {label: (kind, variant, [file of each case])}."""
    people = ["ann", "bob", "cem"]
    return json.dumps(
        {
            "table": "t", "caption": "Caption", "setting": "a setting", "preset": "laptop", "columns": COLUMNS,
            "expect": expect,
            "rows": [
                {
                    "row": label, "name": label, "kind": kind, "variant": variant,
                    "cases": [
                        {"case": f"case{n}", "person": people[n], "note": "short" * n, "metrics": str(folder / file)}
                        for n, file in enumerate(files)
                    ],
                }
                for label, (kind, variant, files) in rows.items()
            ],
        }
    )  # fmt: skip


def made(folder, plan):
    files = {case["metrics"] for row in json.loads(plan)["rows"] for case in row["cases"]}
    outs = [folder / "t.csv", folder / "t.json", folder / "t_cells.csv"]
    paths = [folder / file for file in sorted(files)]
    (folder / "plan.json").write_text(plan)
    table.run(plan=folder / "plan.json", metrics=paths, out=outs[0], out_sidecar=outs[1], out_cells=outs[2])
    lines = {line["row"]: line for line in csv.DictReader(outs[0].open())}
    return lines, json.loads(outs[1].read_text()), list(csv.DictReader(outs[2].open()))


@pytest.fixture
def two_people(tmp_path):
    """Product with its baselines, and a variant that is worse, on two people."""
    for n, name in enumerate(("one", "two")):
        split = f"{name}[0:9]"
        truth = {"ground_truth": (math.inf, 0.0), "frozen": (20.0 + n, 3.0)}
        measured(tmp_path / f"{name}.parquet", truth | {"avatar": (30.0 + 2 * n, 1.0 + n)}, split=split)
        measured(tmp_path / f"{name}_v.parquet", truth | {"avatar": (28.0 + 2 * n, 2.0 + n)}, split=split)
    return {
        "ground truth": ("ground_truth", "ground_truth", ["one.parquet", "two.parquet"]),
        "frozen": ("baseline", "frozen", ["one.parquet", "two.parquet"]),
        "full": ("variant", "avatar", ["one.parquet", "two.parquet"]),
        "no_gate": ("variant", "avatar", ["one_v.parquet", "two_v.parquet"]),
    }


def test_rows_are_means_with_intervals_and_missing_is_empty(tmp_path, two_people):
    lines, facts, cells = made(tmp_path, described(tmp_path, two_people))
    assert list(lines) == list(two_people)
    full = lines["full"]
    assert float(full["psnr_head"]) == 31 and float(full["psnr_head_low"]) == 30 and float(full["psnr_head_high"]) == 32
    assert float(lines["no_gate"]["lmd_px512"]) == 2.5 and lines["ground truth"]["psnr_head"] == "inf"
    for name in ("lpips_full", "sync_c", "train_min"):
        assert {line[name] for line in lines.values()} == {""}
    assert (
        facts["columns"]["psnr_head"]["higher_is_better"] is True
        and "MSE" in facts["columns"]["psnr_head"]["definition"]
    )
    assert facts["caption"] == "Caption: a setting" and facts["split"] == "one[0:9], two[0:9]"
    assert set(facts["hashes"]) == {str(tmp_path / f"{name}.parquet") for name in ("one", "two", "one_v", "two_v")}
    assert facts["notes"] == {"case1": "short"} and facts["kinds"]["frozen"] == "baseline"
    [cell] = [c for c in cells if (c["row"], c["case"], c["metric"]) == ("no_gate", "case1", "psnr_head")]
    assert (cell["value"], cell["counted"], cell["person"]) == ("30", "True", "bob") and "two_v.parquet" in cell[
        "files"
    ]


def test_clips_that_one_row_lacks_count_for_none(tmp_path, two_people):
    two_people["no_gate"] = ("variant", "avatar", ["one_v.parquet"])
    lines, facts, cells = made(tmp_path, described(tmp_path, two_people))
    assert float(lines["full"]["psnr_head"]) == 30 and lines["full"]["psnr_head_low"] == ""
    assert facts["columns"]["psnr_head"]["cases"] == ["case0"]
    assert {c["counted"] for c in cells if c["case"] == "case1"} == {"False"}


@pytest.mark.parametrize("other", [{"split": "one[0:8]"}, {"crop": "256 px"}])
def test_rows_of_different_settings_are_refused(tmp_path, two_people, other):
    values = {"ground_truth": (math.inf, 0.0), "avatar": (28.0, 2.0)}
    measured(tmp_path / "one_v.parquet", values, **{"split": "one[0:9]"} | other)
    with pytest.raises(ArtifactMismatch, match="cannot stand in one column"):
        made(tmp_path, described(tmp_path, two_people))


def test_without_a_case_every_row_is_of_dashes(tmp_path):
    lines, facts, cells = made(tmp_path, described(tmp_path, {"full": ("variant", "avatar", [])}))
    assert set(lines["full"].values()) == {"full", ""} and cells == [] and facts["hashes"] == {}


def test_claims_of_the_paper_are_judged_by_what_was_measured(tmp_path, two_people):
    claim = {"best": "full", "among": ["no_gate"], "largest_drops": ["no_gate"], "metrics": ["psnr_head", "sync_c"]}
    _, facts, _ = made(tmp_path, described(tmp_path, two_people, claim))
    assert facts["claims"] == ["psnr_head: full best holds; largest drops no_gate hold", "sync_c: not measured"]
