"""docs/reliability.md names every case of the tables here, and counts them."""

import runpy
from pathlib import Path

HERE = Path(__file__).parent
TABLES = {
    "test_video": ("REFUSED", "WORKS"), "test_audio": ("REFUSED", "WORKS"), "test_config": ("REFUSED", "GOOD"),
    "test_artifacts": ("ARTIFACTS", "SUMMARIES", "CHECKPOINTS"), "test_assets": ("MANIFESTS", "ARCHIVES", "KINDS"),
}  # fmt: skip


def test_the_page_names_every_case():
    page = (HERE.parents[1] / "docs" / "reliability.md").read_text(encoding="utf-8")
    total = 0
    for module, names in TABLES.items():
        content = runpy.run_path(str(HERE / f"{module}.py"))
        for name in names:
            cases = list(content[name])
            assert f"| {len(cases)} | {'; '.join(cases)} |" in page, (module, name)
            total += len(cases)
    assert f"{total} inputs made by code" in page
