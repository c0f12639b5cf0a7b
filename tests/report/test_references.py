"""The published numbers: every file fits, nothing unknown is filled in, and a slip in a file is told."""

from pathlib import Path

import pytest
import yaml

from emotag.errors import ConfigError
from emotag.report import references

FOLDER = Path(__file__).resolve().parents[2] / "data" / "reference"
FILES = sorted(FOLDER.glob("*.yaml"))


@pytest.fixture(scope="module")
def papers():
    return {paper.system: paper for paper in map(references.load, FILES)}


def test_all_five_papers_are_there(papers):
    assert set(papers) == {"EmoTaG", "InsTaG", "FIAG", "GGTalker", "3DXTalker"}
    assert all(paper.absent for paper in papers.values())


def test_claimed_ordering_of_the_ablation_is_that_of_the_paper(papers):
    """The paper says: the full model is best in every column, AdaIN and the residual are the largest drops."""
    table = next(table for table in papers["EmoTaG"].tables if table.table == "5")
    for name, column in table.columns.items():
        sign = 1 if column.higher_is_better else -1
        ranked = sorted(table.rows, key=lambda row, name=name, sign=sign: -sign * row[name])
        assert [row["method"] for row in ranked][0] == "full model"
        assert [row["method"] for row in ranked][-2:] == ["w/o residual", "w/o AdaIN"]


def test_the_same_system_has_the_same_numbers_wherever_it_stands(papers):
    tables = papers["EmoTaG"].tables
    [full] = [table.values("EmoTaG") for table in tables if table.setting == "self-reconstruction, emotional set"]
    assert full == tables[-1].values("full model")
    assert papers["InsTaG"].tables[0].values("InsTaG")["fps"] == papers["EmoTaG"].tables[0].values("InsTaG")["fps"]


def test_claims_of_emotags_other_tables_hold_in_its_numbers(papers):
    """Best in every column of the user study; on the emotional set the best picture and lips, though not the best Sync-C."""
    tables = papers["EmoTaG"].tables
    [study] = [table for table in tables if table.table == "4"]
    for name in study.columns:
        assert max(study.rows, key=lambda row, name=name: row[name])["method"] == "EmoTaG"
    emotional = {row["method"]: row for table in tables if table.data == "table1_emotional" for row in table.rows}
    assert len(emotional) == 4
    assert max(emotional.values(), key=lambda row: row["psnr_full"])["method"] == "EmoTaG"
    known = [row for row in emotional.values() if "lmd_px512" in row]
    assert min(known, key=lambda row: row["lmd_px512"])["method"] == "EmoTaG"
    assert max(known, key=lambda row: row["sync_c"])["method"] == "Real3DPortrait"


def test_instags_are_means_over_four_people(papers):
    assert {table.people for table in papers["InsTaG"].tables} == {4}


def test_rows_are_found_under_a_table_of_ours(papers):
    found = references.below(papers.values(), "table1_neutral")
    assert {paper.system for paper, _ in found} == {"EmoTaG", "InsTaG", "FIAG", "GGTalker"}
    assert references.below(papers.values(), "nothing") == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda table: table["rows"][0].update(psnr=1.0), "psnr"),
        (lambda table: table["rows"][0].update(psnr_full=None), "psnr_full"),
        (lambda table: table["rows"].append(dict(table["rows"][0])), "twice"),
        (lambda table: table["source"].pop("commit"), "commit"),
    ],
)
def test_slips_are_told(tmp_path, change, told):
    content = yaml.safe_load((FOLDER / "emotag.yaml").read_text())
    content = yaml.safe_load(yaml.safe_dump(content, default_flow_style=False))
    change(content["tables"][0])
    path = tmp_path / "slip.yaml"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(ConfigError, match=told):
        references.load(path)
