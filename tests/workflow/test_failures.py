import json
import os
import sys

from emotag.workflow.environment import prepare
from emotag.workflow.failures import reasons
from emotag.workflow.places import places


def test_reasons_are_the_stages_own_last_words(tmp_path):
    job, other = tmp_path / "crop.log", tmp_path / "track.log"
    job.write_text("12:00:00 scanning\nerror (crop): me.mp4: no face; film one\n")
    other.write_text("Traceback (most recent call last):\nValueError: a bug\n")
    named = "".join(
        f"Error in rule x:\n    log: {log} (check log file(s) for error details)\n" for log in (job, other, job)
    )
    (tmp_path / "snakemake.log").write_text(named)
    assert reasons([str(tmp_path / "snakemake.log")]) == ["error (crop): me.mp4: no face; film one"]


def test_places_names_what_exists(tmp_path):
    (tmp_path / "video.mp4").touch()
    content = {
        "video": str(tmp_path / "video.mp4"),
        "side_by_side": str(tmp_path / "absent.mp4"),
        "wall_s": {},
        "x": "y",
    }
    (tmp_path / "me.json").write_text(json.dumps(content))
    lines = places(tmp_path / "me.json").splitlines()
    assert [line.split() for line in lines] == [
        ["video", str(tmp_path / "video.mp4")],
        ["summary", str(tmp_path / "me.json")],
    ]


def test_environment_puts_this_python_first_once():
    environment = {"PATH": "/usr/bin:/bin"}
    for _ in range(2):
        prepare("/tree/src", environment)
    folder = os.path.dirname(sys.executable)
    assert environment == {
        "PATH": f"{folder}:/usr/bin:/bin",
        "PYTHONPATH": "/tree/src",
        "EMOTAG_RUNNING": "results/state/running",
    }
