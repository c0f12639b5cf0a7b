"""A compiled kernel is made again when a kernel or a constant that it took from another module changes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "emotag"
INNER = (
    "from numba import njit\nfrom emotag.gaussians.probe_constant import STEP\n\n"
    "@njit(cache=True)\ndef inner(x):\n    return x + {}\n"
)
OUTER = (
    "from numba import njit\nfrom emotag.gaussians.probe_inner import inner, STEP\n\n"
    "@njit(cache=True)\ndef outer(x):\n    return inner(x) + STEP\n"
)
CALL = (
    "from emotag.gaussians.probe_outer import outer\n"
    "print(outer(0), sum(outer.stats.cache_hits.values()), outer._cache.cache_path)"
)


@pytest.fixture
def tree(tmp_path):
    """A copy of what the cache needs of the package, with kernels of three modules in a row."""
    for name in (
        "__init__.py",
        "kernel_cache.py",
        "workflow/__init__.py",
        "workflow/sources.py",
        "gaussians/__init__.py",
    ):
        (tmp_path / "emotag" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(PACKAGE / name, tmp_path / "emotag" / name)
    write(tmp_path, "constant", "STEP = 10\n")
    write(tmp_path, "inner", INNER.format(1))
    write(tmp_path, "outer", OUTER)
    return tmp_path


def write(tree, name, text):
    (tree / "emotag" / "gaussians" / f"probe_{name}.py").write_text(text)


def call(tree, **environment):
    """(result, hits of the cache, where it lies) in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CALL], cwd=tree, text=True, capture_output=True, check=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tree), **environment},
    )  # fmt: skip
    result, hits, folder = done.stdout.split(maxsplit=2)
    return int(result), int(hits), Path(folder.strip())


def test_edits_of_imported_kernels_and_constants_are_noticed(tree):
    assert call(tree) == (11, 0, tree / "emotag" / "gaussians" / "__pycache__")
    assert call(tree)[:2] == (11, 1)
    write(tree, "inner", INNER.format(2))
    assert call(tree)[:2] == (12, 0)
    write(tree, "constant", "STEP = 20\n")
    assert call(tree)[:2] == (22, 0)
    write(tree, "constant", '"""Documented."""\n\nSTEP = 20  # and explained\n')
    assert call(tree)[:2] == (22, 1)


def test_a_chosen_folder_is_used(tree):
    chosen = tree / "cache"
    assert call(tree, NUMBA_CACHE_DIR=str(chosen))[2].is_relative_to(chosen)
