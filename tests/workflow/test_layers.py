"""Imports go down only, by the same walk that makes the code digests."""

import ast
import subprocess
import sys

import pytest

from emotag.workflow import sources

LAYERS = (
    ("emotag.stages", "emotag.bench"),
    ("emotag.methods", "emotag.training", "emotag.report"),
    ("emotag.gaussians", "emotag.render", "emotag.motion", "emotag.tracking", "emotag.metrics", "emotag.synthetic"),
    ("emotag.head", "emotag.audio", "emotag.emotion", "emotag.identity", "emotag.geometry", "emotag.io"),
    (
        "emotag.config",
        "emotag.moods",
        "emotag.types",
        "emotag.errors",
        "emotag.artifacts",
        "emotag.parts",
        "emotag.io.artifact",
        "emotag.io.tensors",
    ),
)
# What makes a function a program, and what reads the configuration: used by stages and rules, by nothing below.
PROGRAM = (
    "emotag.stage",
    "emotag.devices",
    "emotag.heartbeat",
    "emotag.provenance",
    "emotag.project",
    "emotag.sections",
    "emotag.yaml_files",
    "emotag.presets",
    "emotag.people",
    "emotag.manifest",
    "emotag.complaints",
    "emotag.kernel_cache",
)
# Machinery that lower layers may import.
FOR_ALL = ("emotag.complaints", "emotag.heartbeat", "emotag.kernel_cache")
PROGRAM += ("emotag.workflow", "emotag.__main__")
HEAVY = ("torch", "pandas", "librosa", "mediapipe", "numba")


def layer(module: str) -> int | None:
    """Height of a module's layer, by its longest matching prefix; None for the machinery."""
    found = [
        (len(prefix), len(LAYERS) - number)
        for number, prefixes in enumerate(LAYERS)
        for prefix in prefixes
        if module == prefix or module.startswith(prefix + ".")
    ]
    return max(found)[1] if found else None


def is_program(module: str) -> bool:
    return any(module == name or module.startswith(name + ".") for name in PROGRAM)


@pytest.mark.parametrize("module", sources.modules())
def test_imports_go_down_only(module: str):
    if is_program(module) or module == "emotag":
        return
    own = layer(module)
    assert own is not None, f"{module} is in no layer"
    for target in sources.read(module).imports:
        if is_program(target):
            assert own == len(LAYERS) or target in FOR_ALL, f"{module} imports {target}"
        elif target != "emotag":
            assert layer(target) <= own, f"{module} imports {target}, which lies above it"


def test_no_import_cycles():
    graph = {module: set(sources.read(module).imports) - {module} for module in sources.modules()}
    while free := {module for module, targets in graph.items() if not targets & graph.keys()}:
        graph = {module: targets for module, targets in graph.items() if module not in free}
    assert not graph, f"these import each other in a circle: {sorted(graph)}"


def test_rules_import_nothing_heavy():
    code = (
        "import sys; import emotag.project, emotag.workflow.params, emotag.workflow.identities, emotag.workflow.assets;"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    environment = {"PYTHONPATH": str(sources.ROOT.parent)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("module", sources.modules())
def test_modules_stay_small(module: str):
    lines = len(sources.path_of(module).read_text(encoding="utf-8").splitlines())
    assert lines <= 400, f"{module} has {lines} lines; split it"


@pytest.mark.parametrize("module", sources.modules())
def test_imported_modules_exist(module: str):
    path = sources.path_of(module)
    tree = ast.parse(path.read_text(encoding="utf-8"))
    froms = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level == 0]
    plain = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    missing = [name for name in froms + plain if name.split(".")[0] == "emotag" and sources.path_of(name) is None]
    assert not missing
