"""Snakemake itself, run in a temporary copy of the working tree."""

from pathlib import Path

import pytest

from working_tree import Copy, copy_of_tree


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return copy_of_tree(tmp_path)


@pytest.fixture(scope="module")
def shared_copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """One copy a file, for tests that change nothing."""
    return copy_of_tree(tmp_path_factory.mktemp("tree"))
