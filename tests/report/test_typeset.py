"""Finished tables: what is printed is what was measured, the best is marked, and LaTeX compiles."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from emotag.errors import ArtifactMismatch
from emotag.metrics.base import METRICS
from emotag.report import references, typeset

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference"
CSV = """variant,psnr_full,psnr_full_low,psnr_full_high,lmd_px512,lip_best_lag
ground truth,inf,,,0,0
avatar,28.5,27.0,30.0,2.1,1
frozen,28.4,,,3.3,
w/o a_b & 5% {x},27.1,,,–,-2
"""
COLUMNS = {
    "psnr_full": {"unit": "dB", "higher_is_better": True, "definition": "per frame"},
    "lmd_px512": {"unit": "px", "higher_is_better": False, "definition": "lips_centred"},
    "lip_best_lag": {"unit": "frames", "higher_is_better": None, "ideal": 0.0, "definition": "+ = late"},
}
FACTS = {"caption": "Neutral set, 100% of it", "columns": COLUMNS, "split": "[125:250]", "command": "snakemake paper"}


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "table1_neutral.csv"
    path.write_text(CSV)
    path.with_suffix(".json").write_text(json.dumps(FACTS | {"hashes": {"rows": "ab12"}}))
    papers = [references.load(file) for file in sorted(REFERENCE.glob("*.yaml"))]
    return typeset.read(path, path.with_suffix(".json"), references.below(papers, path.stem))


def test_best_is_of_methods_alone_and_follows_the_direction(table):
    assert table.best("psnr_full") == {"avatar"}
    assert table.best("lmd_px512") == {"avatar"}
    assert table.best("lip_best_lag") == {"avatar"}


def test_markdown_shows_every_number_and_no_zero_for_the_missing(table):
    lines = typeset.markdown(table).splitlines()
    assert "|  | psnr_full ↑ (dB) | lmd_px512 ↓ (px) | lip_best_lag → 0 (frames) |" in lines
    assert "| avatar | **28.50 [27.00, 30.00]** | **2.100** | **1.000** |" in lines
    assert "| frozen | 28.40 | 3.300 | – |" in lines
    assert "| ground truth | ∞ | 0.000 | 0.000 |" in lines


def test_published_rows_stand_apart_and_are_marked(table):
    text = typeset.markdown(table)
    own, _, cited = text.partition("Published, other footage")
    assert "ER-NeRF" not in own
    rows = [line for line in cited.splitlines() if line.startswith("| ") and "other footage" in line]
    assert len(rows) >= 9
    assert "| EmoTaG (EmoTaG, Table 1; other footage) | 30.02 | 2.221 | – |" in rows
    assert "**" not in cited
    assert "Means over 4 people." in cited and "not from the paper" in cited
    for said in ("split: [125:250]", "command: snakemake paper", "hashes: rows ab12"):
        assert said in cited


def test_html_page_has_the_same_rows(table):
    from html.parser import HTMLParser

    class Rows(HTMLParser):
        def __init__(self):
            super().__init__()
            self.rows, self.open = [], []

        def handle_starttag(self, tag, attributes):
            if tag == "tr":
                self.rows.append([])
            if tag not in ("meta",):
                self.open.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag

        def handle_data(self, data):
            if "tr" in self.open:
                self.rows[-1].append(data)

    parser = Rows()
    parser.feed(typeset.page(table))
    assert not parser.open
    names = [row[0] for row in parser.rows[1:]]
    assert names[:4] == ["ground truth", "avatar", "frozen", "w/o a_b & 5% {x}"]
    assert names[4] == "Published, other footage" and all("other footage" in name for name in names[4:])
    assert "<strong>2.100</strong>" in typeset.page(table) and "http:" not in typeset.page(table)


def test_latex_is_well_formed(table):
    """A small grammar: environments nest, braces balance, every row has as many cells as there are columns."""
    text = typeset.latex(table, "table1_neutral")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("%"))
    stack = []
    for kind, name in re.findall(r"\\(begin|end)\{(\w+)\}", code):
        if kind == "begin":
            stack.append(name)
        else:
            assert stack.pop() == name
    assert not stack
    bare = re.sub(r"\\[{}%&_#$]", "", code)
    assert bare.count("{") == bare.count("}")
    rows = [line for line in code.splitlines() if line.endswith(r"\\") and "multicolumn" not in line]
    assert {len(re.findall(r"(?<!\\)&", row)) for row in rows} == {3}
    assert code.index(r"\toprule") < code.index(r"\midrule") < code.index("other footage") < code.index(r"\bottomrule")
    assert r"w/o a\_b \& 5\% \{x\}" in code and r"\textbf{2.100}" in code
    assert r"avatar & \textbf{28.50$_{27.00}^{30.00}$} &" in code and "[27" not in code


@pytest.fixture
def wide():
    """Fourteen columns of every unit and direction, and names that LaTeX could stumble over."""
    names = list(METRICS)[:14]
    cell = typeset.Cell(10.5, 9.25, 11.75)
    rows = {row: dict.fromkeys(names, cell) for row in ("ground truth", "avatar", "w/o gate (g ≡ 1, 5 %) → {δ}_b & …")}
    return typeset.Finished("Wide: 100 % of it", [METRICS[name] for name in names], rows)


def test_latex_of_many_columns_is_continued(wide):
    """Every column once, five abreast at most, each table with every row of ours and a label of its own."""
    names = [column.name for column in wide.columns]
    code = "\n".join(line for line in typeset.latex(wide, "wide").splitlines() if not line.startswith("%"))
    assert [len(found) for found in re.findall(r"\\begin\{tabular\}\{l(r+)\}", code)] == [5, 5, 4]
    heads = [line.split("&") for line in code.splitlines() if line.strip().startswith("&")]
    assert [typeset.escape(METRICS[name].heading()) for name in names] == [
        cell.removesuffix(r"\\").strip() for head in heads for cell in head[1:]
    ]
    assert sum(line.strip().startswith("avatar &") for line in code.splitlines()) == 3
    assert re.findall(r"\\label\{(.*)\}", code) == ["tab:wide", "tab:wide-2", "tab:wide-3"]
    for kind in ("table", "tabular"):
        assert code.count(f"\\begin{{{kind}}}") == code.count(f"\\end{{{kind}}}")
    bare = re.sub(r"\\[{}%&_#$]", "", code)
    assert bare.count("{") == bare.count("}")


def test_latex_compiles(table, wide, tmp_path):
    pdflatex = shutil.which("pdflatex")
    if pdflatex is None:
        pytest.skip("no pdflatex on this machine (Debian: texlive-latex-recommended)")
    body = typeset.latex(table, "table1_neutral") + typeset.latex(wide, "wide")
    page = (
        "\\documentclass{article}\n\\usepackage[utf8]{inputenc}\n\\usepackage{booktabs,graphicx}\n"
        f"\\begin{{document}}\n{body}\\end{{document}}\n"
    )
    (tmp_path / "page.tex").write_text(page, encoding="utf-8")
    command = [pdflatex, "-interaction=nonstopmode", "-halt-on-error", "page.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace")
    assert done.returncode == 0, done.stdout[-2000:]
    assert (tmp_path / "page.pdf").stat().st_size > 1000


@pytest.mark.parametrize(
    ("content", "told"),
    [("variant,psnr_full\navatar,good\n", "good"), ("variant,other\navatar,1\n", "other"), ("", "no rows")],
)
def test_what_does_not_fit_is_told(tmp_path, content, told):
    path = tmp_path / "t.csv"
    path.write_text(content)
    (tmp_path / "t.json").write_text(json.dumps(FACTS))
    with pytest.raises(ArtifactMismatch, match=told):
        typeset.read(path, tmp_path / "t.json")
