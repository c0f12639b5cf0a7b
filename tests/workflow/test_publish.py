"""Tables in the form that is committed: every number stays what it was, settings never share a column, sources stand by."""

import csv
import json
import math
from pathlib import Path

import pandas as pd
import pytest

from emotag.__main__ import main
from emotag.errors import ArtifactMismatch
from emotag.io.artifact import read_json
from emotag.report.tables import metric_rows
from emotag.stages import table
from emotag.workflow import publish

ROOT = Path(__file__).resolve().parents[2]
COLUMNS = ["psnr_full", "lmd_px512", "sync_c"]
CLAIM = {"best": "paper", "among": ["no_gate"], "largest_drops": ["no_gate"], "metrics": ["psnr_full", "lmd_px512"]}
ROWS = {
    "ground truth": ("ground_truth", "ground_truth"),
    "frozen": ("baseline", "frozen"),
    "EmoTaG as printed": ("variant", "avatar"),
}
SCORES = {"ground_truth": (math.inf, 0.0), "frozen": (20.0, 3.0), "avatar": (30.0, 1.0)}


def make(name, setting, rows=ROWS, files=("one", "two"), notes=("", ""), expect=None, shift=0.0):
    """A finished table in results/tables, of metric files written on the spot by the table's own stage."""
    cases = []
    for number, file in enumerate(files):
        path = Path(f"results/{name}/{file}.parquet")
        path.parent.mkdir(parents=True, exist_ok=True)
        labels = {"identity": file, "split": f"{file}[0:9]", "crop": "512", "clip": "c", "providers": "p", "seed": 0}
        measured = []
        for variant, (psnr, lmd) in SCORES.items():
            scores = {"psnr_full": psnr + shift + number, "lmd_px512": lmd}
            measured += metric_rows(scores, variant=variant, **labels)
        pd.DataFrame(measured).to_parquet(path, index=False)
        cases.append({"case": f"{file}/self-x", "person": file, "note": notes[number], "metrics": str(path)})
    names = {"EmoTaG as printed": "paper", "w/o gate": "no_gate"}
    plan = {
        "table": name, "caption": f"Caption of {name}", "setting": setting, "preset": "laptop", "columns": COLUMNS,
        "expect": expect,
        "rows": [
            {"row": row, "name": names.get(row, row), "kind": kind, "variant": variant, "cases": cases}
            for row, (kind, variant) in rows.items()
        ],
    }  # fmt: skip
    folder = Path("results/tables")
    folder.mkdir(exist_ok=True)
    (folder / f"{name}_plan.json").write_text(json.dumps(plan))
    table.run(
        plan=folder / f"{name}_plan.json", metrics=sorted({Path(case["metrics"]) for case in cases}),
        out=folder / f"{name}.csv", out_sidecar=folder / f"{name}.json", out_cells=folder / f"{name}_cells.csv",
    )  # fmt: skip


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """A working folder with the repository's data, and tables of one and of two settings."""
    (tmp_path / "data").symlink_to(ROOT / "data")
    (tmp_path / "results").mkdir()
    monkeypatch.chdir(tmp_path)
    make("table1_neutral", "neutral")
    make("table2_level1", "to level 1", notes=("later part of the same clip", ""))
    make("table2_level3", "to level 3", shift=-4, files=("one",))
    make("table5", "all", ROWS | {"w/o gate": ("variant", "frozen")}, expect=CLAIM)
    return tmp_path


def lines_of(path):
    return {line["row"]: line for line in csv.DictReader(path.open())}


def test_each_sheet_holds_every_row_and_number_as_measured(run_folder):
    publish.run(tables=Path("results/tables"), out=Path("docs/results"))
    out = run_folder / "docs/results"
    assert {path.name for path in out.iterdir()} == {
        "table1_neutral.csv",
        "table2.csv",
        "table5.csv",
        "tables.md",
        "per_clip",
    }
    made, kept = lines_of(Path("results/tables/table1_neutral.csv")), lines_of(out / "table1_neutral.csv")
    assert {row: line["kind"] for row, line in kept.items()} == {row: kind for row, (kind, _) in ROWS.items()}
    assert [{k: v for k, v in line.items() if k != "kind"} for line in kept.values()] == list(made.values())
    assert kept["frozen"]["psnr_full"] == "20.5" and kept["frozen"]["psnr_full_low"] == "20"
    # Nobody measured it: an empty cell, never 0.
    assert {line["sync_c"] for line in kept.values()} == {""}


def test_means_can_be_made_again_from_the_clips(run_folder):
    publish.run(tables=Path("results/tables"), out=Path("out"))
    kept = lines_of(Path("out/table1_neutral.csv"))
    clips = list(csv.DictReader(Path("out/per_clip/table1_neutral.csv").open()))
    assert [(line["row"], line["person"]) for line in clips] == [(row, p) for row in ROWS for p in ("one", "two")]
    for row in ("frozen", "EmoTaG as printed"):
        own = [float(line["psnr_full"]) for line in clips if line["row"] == row]
        assert sum(own) / 2 == float(kept[row]["psnr_full"])
    assert {line["sync_c"] for line in clips} == {""}


def test_two_settings_of_one_sheet_never_share_a_column(run_folder):
    publish.run(tables=Path("results/tables"), out=Path("out"))
    two = lines_of(Path("out/table2.csv"))
    assert list(two) == list(ROWS)
    assert (two["frozen"]["level_1.psnr_full"], two["frozen"]["level_3.psnr_full"]) == ("20.5", "16")
    assert "psnr_full" not in two["frozen"]


def test_page_says_of_what_by_what_and_whether_the_claims_hold(run_folder):
    Path("remarks.md").write_text("A remark.\n")
    command = "snakemake --cores 2 --configfile mine.yaml -- paper"
    assert (
        main(["publish", "results/tables", "out", "--title", "Clips", "--command", command, "--remarks", "remarks.md"])
        == 0
    )
    page = Path("out/tables.md").read_text()
    lines = page.splitlines()
    assert lines[0] == "# Clips" and f"`{command}`" in lines[2] and "preset laptop" in lines[2]
    assert "A remark." in lines
    assert "| psnr_full ↑ (dB) | ∞ | 20.50 [20.00, 21.00] | **30.50 [30.00, 31.00]** |" in lines
    # Of one clip there is no interval.
    assert "| psnr_full ↑ (dB) | ∞ | 16.00 | **26.00** |" in lines
    assert "- `table5`, psnr_full: paper best holds; largest drops no_gate hold." in lines
    assert "Not measured in any row: `sync_c`." in lines and "People: 2, tests of a clip: 2." in page
    assert "- later part of the same clip: one/self-x" in lines
    assert "- `table1_emotional`" in lines and "- `table5`" not in lines
    own, _, cited = page.partition("Published, other footage:")
    assert "ER-NeRF" not in own and "| EmoTaG (EmoTaG, Table 1; other footage) | 30.02 | 2.221 | 6.212 |" in cited
    digest = read_json(Path("results/tables/table1_neutral.json"))["hashes"]["results/table1_neutral/one.parquet"]
    assert f"- `results/table1_neutral/one.parquet` {digest[:12]}" in lines
    assert str(run_folder) not in page


def test_a_claim_that_does_not_hold_is_said_plainly(run_folder):
    better = ROWS | {"w/o gate": ("variant", "ground_truth")}
    make("table5", "all", better, expect=CLAIM | {"metrics": ["lmd_px512"]})
    publish.run(tables=Path("results/tables"), out=Path("out"))
    assert (
        "lmd_px512: paper best does not hold (no_gate is better by 1, beyond the noise)"
        in Path("out/tables.md").read_text()
    )


def test_setting_without_footage_is_rows_of_dashes_and_says_so(run_folder):
    make("table3_cross_language", "other languages", files=())
    publish.run(tables=Path("results/tables"), out=Path("out"))
    found = lines_of(Path("out/table3.csv"))
    assert found["frozen"] == {"row": "frozen", "kind": "baseline"} | {
        name + end: "" for name in COLUMNS for end in ("", "_low", "_high")
    }
    assert "Nothing here is of this setting" in Path("out/tables.md").read_text()


def test_same_tables_give_the_same_bytes(run_folder):
    for folder in ("a", "b"):
        publish.run(tables=Path("results/tables"), out=Path(folder))
    for file in (path for path in Path("a").rglob("*") if path.is_file()):
        assert file.read_bytes() == (Path("b") / file.relative_to("a")).read_bytes()


def test_places_on_one_machine_are_not_published(run_folder):
    sidecar = Path("results/tables/table5.json")
    facts = read_json(sidecar)
    sidecar.write_text(json.dumps(facts | {"hashes": {"/home/me/one.parquet": "ab"}}))
    with pytest.raises(ArtifactMismatch, match="place on one machine"):
        publish.run(tables=Path("results/tables"), out=Path("out"))


def test_rows_of_unknown_kind_are_refused(run_folder):
    sidecar = Path("results/tables/table5.json")
    sidecar.write_text(json.dumps(read_json(sidecar) | {"kinds": {}}))
    with pytest.raises(ArtifactMismatch, match="'ground truth'"):
        publish.run(tables=Path("results/tables"), out=Path("out"))


def test_no_tables_is_one_line(run_folder, capsys):
    assert main(["publish", "nowhere", "out"]) == 2
    assert "snakemake paper" in capsys.readouterr().err and not Path("out").exists()
