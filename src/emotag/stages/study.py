"""The page of the user study, and the key that tells which clip is whose.

Reads: the videos of every method with sound, each at its place among the drives. Writes: one HTML page that needs nothing
else, and the key (JSON), which raters must not get.
"""

from pathlib import Path

from emotag import stage
from emotag.config import StudyConfig
from emotag.io.artifact import write_atomic, write_json
from emotag.report import study


def run(*, videos: list[Path], out_page: Path, out_key: Path, config: StudyConfig) -> None:
    """Write the page and its key."""
    page, key = study.study(study.named(videos), config.seed)
    write_atomic(out_page, page.encode())
    write_json(out_key, key)


if __name__ == "__main__":
    stage.main(run)
