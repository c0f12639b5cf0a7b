"""Runs a stage in this process as its command line would, and says how it ended and what it left."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from emotag import stage


@dataclass(frozen=True)
class Outcome:
    """Exit code, what stood on stderr (without log lines), and the files of the output folder."""

    code: int
    said: str
    files: tuple[str, ...]


@pytest.fixture
def ends(tmp_path: Path, capsys: pytest.CaptureFixture, caplog) -> Callable[..., Outcome]:
    """`ends(module, flag=value, …)`: what `python -m emotag.stages.<module> …` does; `OUT/x` is a file of an own folder."""
    folder = tmp_path / "out"

    def of(module: ModuleType, **flags: object) -> Outcome:
        arguments = []
        for key, value in flags.items():
            values = value if isinstance(value, list) else [value]
            texts = [str(text).replace("OUT/", f"{folder}/") for text in values]
            arguments += [f"--{key.replace('_', '-')}", *texts]
        capsys.readouterr()
        caplog.set_level(logging.CRITICAL)
        try:
            stage.main(module.run, arguments)
            code = 0
        except SystemExit as leaving:
            code = int(leaving.code or 0)
        found = tuple(sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()))
        return Outcome(code, capsys.readouterr().err.strip(), found)

    return of


@pytest.fixture
def refused(ends) -> Callable[..., str]:
    """As `ends`, for input that must be refused: one line with every word, code 2, and nothing written. The line."""

    def of(module: ModuleType, words: list[str], **flags: object) -> str:
        outcome = ends(module, **flags)
        assert outcome.code == 2, (outcome.code, outcome.said)
        lines = [line for line in outcome.said.splitlines() if line.startswith("error (")]
        assert len(lines) == 1 and outcome.said.endswith(lines[0]), outcome.said
        assert not outcome.files, outcome.files
        for word in words:
            assert word in lines[0], (word, lines[0])
        return lines[0]

    return of
