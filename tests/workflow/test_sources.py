from pathlib import Path

import pytest

from emotag.workflow import sources


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package with two stages that share one module, a declaring module and a data file."""
    files = {
        "__init__.py": "",
        "stages/__init__.py": "",
        "stages/one.py": "from emotag import stage\nfrom emotag.shared import f\nfrom emotag.config import A\n",
        "stages/two.py": "import emotag.shared\nfrom emotag.config import B\ndef run():\n    from emotag import lazy\n",
        "stage.py": "import emotag.transport\n",
        "transport.py": "",
        "shared.py": '"""Doc."""\nTABLE = "table.json"\ndef f():\n    """Doc."""\n    return 1\n',
        "lazy.py": "from .shared import f as g\n",
        "table.json": "{}",
        "config.py": "class Base: pass\nclass A(Base): x = LIMIT\nclass B(Base): pass\nLIMIT = 1\n",
    }
    root = tmp_path / "emotag"
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.setattr(sources, "ROOT", root)
    forget()
    yield root
    forget()


def forget() -> None:
    for function in (sources.read, sources.digest, sources.closure):
        function.cache_clear()


def changed(root: Path, name: str, old: str, new: str) -> set[str]:
    """Stages whose closure differs after an edit."""
    stages = ("emotag.stages.one", "emotag.stages.two")
    forget()
    before = {stage: sources.closure(stage) for stage in stages}
    path = root / name
    path.write_text(path.read_text().replace(old, new, 1) if old else new)
    forget()
    return {stage.rpartition(".")[2] for stage in stages if sources.closure(stage) != before[stage]}


def names(stage: str) -> set[str]:
    return {line.partition("@")[0] for line in sources.closure(stage)}


def test_closure_follows_plain_lazy_and_relative_imports(toy):
    common = {"emotag.stages", "emotag.shared", "emotag.config"}
    assert names("emotag.stages.one") == common | {"emotag.stages.one"}
    assert names("emotag.stages.two") == common | {"emotag.stages.two", "emotag.lazy"}


@pytest.mark.parametrize(
    ("name", "old", "new", "stages"),
    [
        ("shared.py", "return 1", "return 2", {"one", "two"}),
        ("lazy.py", "as g", "as h", {"two"}),
        ("shared.py", "Doc.", "Other words.", set()),
        ("shared.py", "return 1", "return 1  # said why", set()),
        ("table.json", "{}", "[]", {"one", "two"}),
        ("config.py", "class B(Base): pass", "class B(Base): y = 1", {"two"}),
        ("config.py", "LIMIT = 1", "LIMIT = 2", {"one"}),
        ("config.py", "class Base: pass", "class Base: z = 1", {"one", "two"}),
        ("config.py", "LIMIT = 1", "LIMIT = 1\nclass C: pass", set()),
        ("transport.py", "", "x = 1", set()),
        ("stage.py", "import", "y = 1\nimport", set()),
        ("stages/one.py", "import f", "import f as g", {"one"}),
    ],
)
def test_edit_changes_exactly_the_stages_that_use_it(toy, name, old, new, stages):
    assert changed(toy, name, old, new) == stages


def test_unknown_module_is_named(toy):
    with pytest.raises(ModuleNotFoundError, match="emotag.stages.three"):
        sources.closure("emotag.stages.three")


def test_a_module_loaded_by_name_is_a_root_of_its_own(toy):
    lines = sources.closure("emotag.stages.one", "emotag.lazy")
    assert any(line.startswith("emotag.lazy@") for line in lines)
