"""data/benchmarks/synthetic.yaml says of every clip what its voice acts."""

from pathlib import Path

import pytest

from emotag.people import SHIPPED_SPEAKERS, talkers
from emotag.project import resolve
from emotag.synthetic import takes
from emotag.yaml_files import load_files

FILE = Path("data/benchmarks/synthetic.yaml")


@pytest.fixture(scope="module")
def people():
    return resolve(load_files([FILE])).identities


def test_it_declares_everyone_of_the_corpus_with_the_same_clips(people):
    made = talkers(SHIPPED_SPEAKERS, 8, {})
    assert {name: people[name].clips for name in made} == {name: person.clips for name, person in made.items()}
    assert all(people[name].adapt_on == person.adapt_on for name, person in made.items())


@pytest.mark.parametrize("number", range(1, SHIPPED_SPEAKERS + 1))
def test_labels_and_language_are_those_of_the_readings(people, number):
    read = takes.load(Path(f"data/takes/speaker{number:02d}.json"))
    person = people[f"syn{number:02d}"]
    acted = {f"syn{number:02d}-c{place:02d}": (take.emotion, take.level) for place, take in enumerate(read, 1)}
    declared = {clip: (label.emotion, label.level) for clip, label in person.labels.items()}
    assert declared == {clip: label for clip, label in acted.items() if label[0] != "neutral"}
    assert {take.language for take in read} == {person.language}
