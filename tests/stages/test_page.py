import json

from emotag.stages import gather, page


def test_gather_puts_the_first_drive_foremost(tmp_path):
    for drive in ("self-b", "self-c"):
        (tmp_path / f"{drive}.json").write_text(json.dumps({"drive": drive, "video": f"{drive}.mp4"}))
    gather.run(summaries=[tmp_path / "self-b.json", tmp_path / "self-c.json"], out=tmp_path / "me.json")
    found = json.loads((tmp_path / "me.json").read_text())
    assert found["video"] == "self-b.mp4" and list(found["drives"]) == ["self-b", "self-c"]


def test_page_lists_what_was_wanted_but_not_made(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results/logs/crop").mkdir(parents=True)
    (tmp_path / "results/logs/crop/b.log").write_text("error (crop): b.mp4: no face; film one\n")
    (tmp_path / "a.json").write_text("{}")
    summaries = [tmp_path / "a.json", tmp_path / "b.json"]
    (tmp_path / "remarks.md").write_text("A remark.\n")
    page.run(summaries=summaries, out=tmp_path / "page.md", wanted=["a", "b", "c"], remarks=tmp_path / "remarks.md")
    text = (tmp_path / "page.md").read_text()
    assert "\n\nA remark.\n\n" in text
    page.run(summaries=summaries, out=tmp_path / "plain.md", remarks=tmp_path / "absent.md")
    assert "A remark" not in (tmp_path / "plain.md").read_text()
    assert "- b: error (crop): b.mp4: no face; film one" in text and "- c: see results/logs" in text
