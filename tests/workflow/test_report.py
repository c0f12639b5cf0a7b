"""`snakemake --report`: one page that holds its videos and figures and loads nothing."""

import json
import re

HELD = ("side_by_side.mp4", "video.mp4", "strip.png", "guidance.png", "gate.png", "curves.png", "metrics.csv")


def test_report_is_one_page_with_videos_figures_and_captions(copy):
    targets = ("--config", "preset=laptop", "--", "adapt_identity", "figures", "user_study")
    copy.pretend_done(*targets)
    done = copy.snakemake("--report", "report.html", *targets)
    assert done.returncode == 0, done.stdout
    text = (copy.path / "report.html").read_text(encoding="utf-8")
    for name in HELD:
        assert name in text
    assert text.count("data:video/mp4;") == 5
    assert "What the emotion teacher says of the ground truth over time" in text
    assert not re.findall(r'<(?:script|link|img|video|source)[^>]+(?:src|href)="https?:', text)


def test_mouths_are_compared_where_two_clips_are_named(copy):
    assert "mouths" not in copy.jobs("--config", "preset=laptop", "--", "figures")
    named = json.dumps({"neutral": "demo", "emotional": "demo"})
    assert copy.jobs("--config", "preset=laptop", f"figures={named}", "--", "figures")["mouths"] == 1
    done = copy.snakemake("-n", "--config", 'figures={"neutral": "nobody"}', "--", "figures")
    assert done.returncode == 2 and "figures.neutral names 'nobody'" in done.stdout
