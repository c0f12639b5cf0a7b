import numpy as np
import pytest

from emotag.__main__ import SCHEMA, main, schema_text
from emotag.artifacts import Emotion


def test_schema_in_the_repository_is_the_one_of_the_models():
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), "run: python -m emotag schema"


def test_check_says_what_is_good_and_what_is_not(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["check"]) == 0
    (tmp_path / "mine.yaml").write_text("adapt: {identity: me}\n")
    assert main(["check", "--configfile", "mine.yaml"]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "'me'" in error and len(error.splitlines()) == 1


def test_inspect_prints_any_artifact(tmp_path, capsys):
    Emotion(np.zeros((3, 7), np.float32), "fer").save(tmp_path / "e", {"stage": "x"})
    assert main(["inspect", str(tmp_path / "e")]) == 0
    shown = capsys.readouterr().out
    assert "emotion, schema 1" in shown and "[3, 7]" in shown and '"stage": "x"' in shown


@pytest.mark.parametrize("command", [["inspect", "absent"], ["watch", "absent"]])
def test_a_missing_file_is_one_line(command, capsys):
    assert main(command) == 2
    assert "absent" in capsys.readouterr().err
