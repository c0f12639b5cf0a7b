"""Mouth openings of a neutral and an emotional clip over time (EmoTaG's Fig. 2).

Reads: Landmarks of both clips. Writes: the figure.
"""

from pathlib import Path

from emotag import stage
from emotag.artifacts import Landmarks
from emotag.report import plots
from emotag.tracking.lip_measures import lip_measures


def run(*, neutral: Path, emotional: Path, out: list[Path]) -> None:
    """Draw both clips' openings with their standard deviations."""
    clips = {"neutral": neutral, "emotional": emotional}
    plots.save(plots.mouth({name: lip_measures(Landmarks.load(path).points) for name, path in clips.items()}), *out)


if __name__ == "__main__":
    stage.main(run)
