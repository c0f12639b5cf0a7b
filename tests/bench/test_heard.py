"""The judgement of emotion that is heard: nobody is judged by what was fitted to them, and figures are what they say."""

import numpy as np
import pytest

from emotag.bench import heard as bench
from emotag.bench.heard import Reading
from emotag.motion.heard import ACTED


def readings(seed=0):
    """Eight speakers of two languages whose voices go where their emotion goes."""
    random = np.random.default_rng(seed)
    directions = 4 * random.normal(size=(6, 5))
    found = []
    for speaker in range(8):
        for kind, emotion in enumerate(ACTED):
            for level in (1, 2, 3):
                shifts = level / 3 * directions[kind] + 0.2 * random.normal(size=(25, 5))
                name, language = f"s{speaker}", "de" if speaker % 2 else "en"
                found.append(Reading(name, language, emotion, level, shifts, np.full(5, 0.01), np.ones(25)))
        found.append(
            Reading(name, language, "neutral", 0, 0.2 * random.normal(size=(25, 5)), np.full(5, 0.01), np.ones(25))
        )
    return found


def test_who_is_judged_was_not_fitted_to(monkeypatch):
    asked = []
    fitted = bench.fitted
    monkeypatch.setattr(bench, "fitted", lambda material: asked.append(list(material)) or fitted(asked[-1]))
    found = bench.judged(readings(), "language")
    assert [{r.language for r in part} for part in asked] == [{"en"}, {"de"}] and len(found) == len(readings())


def test_clear_voices_are_told_apart_and_better_than_by_a_constant():
    scores = bench.summary(bench.judged(readings(), "speaker"))
    assert scores["right"] > 0.95 and scores["kl"] < 0.1 < 0.5 < scores["kl_constant"]
    assert scores["intensity"] > 0.95 and scores["intensity_of_class"] > 0.95


def test_divergence_is_nothing_for_what_was_acted_and_the_entropy_for_a_wrong_certainty():
    acted = np.array([[1 / 3, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1.0]])
    assert bench.divergence(acted, acted) == pytest.approx(0, abs=0.06)
    wrong = np.array([[0, 1.0, 0, 0, 0, 0]])
    assert bench.divergence(np.array([[1.0, 0, 0, 0, 0, 0]]), wrong) == pytest.approx(np.log(106), abs=0.01)


def test_the_table_has_a_line_a_class_and_level():
    lines = bench.table(bench.judged(readings(), "speaker"))
    assert len(lines) == 1 + 1 + 18 and lines[-1].split()[:3] == ["surprise", "3", "8"]
