"""A table that was cut short goes on where it was, and folds with nothing to do are not read."""

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from emotag.bench import prior_choice
from emotag.bench.prior_table import COLUMNS


@dataclass
class Work:
    """What was asked of the parts that are expensive."""

    folds: list[list[str]] = field(default_factory=list)
    clips: list[str] = field(default_factory=list)
    fails_at: str = ""

    def fold(self, real, clips, talkers, shipped, state):
        self.folds.append(clips)

    def rows(self, fold, shipped, footage):
        if footage.name == self.fails_at:
            raise KeyboardInterrupt
        self.clips.append(footage.name)
        for way in ("scale", "map"):
            yield dict.fromkeys(COLUMNS[6:18], 0.5) | {"prior": "both", "model": "ridge", "way": way, "visemes": ""}


@pytest.fixture()
def work(monkeypatch):
    work = Work()
    shipped = SimpleNamespace(network={}, architecture={})
    monkeypatch.setattr(prior_choice, "models", SimpleNamespace(load=lambda head: None))
    monkeypatch.setattr(prior_choice, "Prior", SimpleNamespace(load=lambda path: shipped))
    monkeypatch.setattr(prior_choice, "Articulation", SimpleNamespace(load=lambda path: None))
    monkeypatch.setattr(prior_choice, "grmn", SimpleNamespace(load=lambda network, architecture: None))
    monkeypatch.setattr(prior_choice, "corpus_of", lambda results, people: None)
    monkeypatch.setattr(prior_choice, "Fold", work.fold)
    monkeypatch.setattr(
        prior_choice, "Footage", lambda results, clip, model: SimpleNamespace(name=clip, motion=np.zeros((250, 3)))
    )
    monkeypatch.setattr(prior_choice, "MODELS", {"ridge": work.rows})
    return work


def test_it_goes_on_where_it_was(work, tmp_path):
    people = {"a1": "a", "b1": "b", "a2": "a"}
    out, folder = tmp_path / "table.csv", Path("nowhere")
    given = (folder, folder, folder, folder, people, [folder, folder], out, folder, ["ridge"])
    work.fails_at = "b1"
    with pytest.raises(KeyboardInterrupt):
        prior_choice.run(*given)
    assert work.clips == ["a1", "a2"] and out.read_text().count("\n") == 5
    work.fails_at = ""
    assert len(prior_choice.run(*given, ["a2"])) == 4
    rows = prior_choice.run(*given)
    assert work.clips == ["a1", "a2", "b1"] and work.folds == [["a1", "a2"], ["b1"], ["b1"]]
    assert [row["clip"] for row in rows] == ["a1", "a1", "a2", "a2", "b1", "b1"]
    assert float(rows[-1]["seconds"]) == 10
    again = prior_choice.run(*given)
    assert work.folds == [["a1", "a2"], ["b1"], ["b1"]] and len(again) == 6


def test_lips_are_judged_at_the_offset_of_the_part_and_of_the_test(monkeypatch):
    clip = SimpleNamespace(offset=-0.5, test_offset=0.25)
    monkeypatch.setattr(prior_choice, "shown", lambda clip, person, offset=None: offset)
    found = {None: {"lip_aperture_corr": 0.5, "lmd_px512": 2.0}, 0.25: {"lip_aperture_corr": 0.6, "lmd_px512": 1.5}}
    monkeypatch.setattr(prior_choice, "scores", lambda clip, offset: dict(found[offset]))
    wanted = {"drift_frames": 0.75, "synced_aperture_corr": 0.6, "synced_lmd_px512": 1.5}
    assert prior_choice.judged(clip, None) == found[None] | wanted
