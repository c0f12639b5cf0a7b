"""Phones from features: exact where the features say which phone it is, and in the transcript's order where that is given."""

import itertools

import numpy as np
import pytest

from emotag.synthetic.phone_model import PhoneModel, in_order, labels_at, segments, viterbi

NAMES = ["AA", "M", "S", "SIL"]


def spoken(seed, count=60):
    """Phones of random length in whole tokens, silences at both ends, and features around a centre for each phone."""
    random = np.random.default_rng(seed)
    order = ["SIL", *itertools.islice(_walk(random), count), "SIL"]
    edges = np.concatenate([[0], np.cumsum(random.integers(4, 10, len(order)))]) / 50
    phones = list(zip(edges[:-1], edges[1:], order, strict=True))
    labels = labels_at(phones, round(edges[-1] * 50), NAMES)
    centres = 3 * np.random.default_rng(0).normal(size=(len(NAMES), 100))
    return (centres[labels] + random.normal(size=(len(labels), 100))).astype(np.float32), phones


def _walk(random):
    before = 3
    while True:
        before = random.choice([k for k in range(len(NAMES)) if k != before])
        yield NAMES[before]


@pytest.fixture(scope="module")
def model():
    return PhoneModel.fit([spoken(seed) for seed in (1, 2, 3)])


def test_a_new_recording_is_recognised(model):
    features, phones = spoken(9)
    found = model.decode(features)
    assert [name for _, _, name in found] == [name for _, _, name in phones]
    np.testing.assert_allclose([a for a, _, _ in found], [a for a, _, _ in phones], atol=0.021)


def test_a_transcript_is_placed_and_silences_are_found(model):
    features, phones = spoken(9)
    found = model.align(features, [name for _, _, name in phones if name != "SIL"])
    assert [name for _, _, name in found] == [name for _, _, name in phones]
    np.testing.assert_allclose([a for a, _, _ in found], [a for a, _, _ in phones], atol=0.021)


def test_arrays_carry_the_model(model):
    features, _ = spoken(9)
    again = PhoneModel.from_arrays(model.names, model.to_arrays())
    np.testing.assert_allclose(again.likelihoods(features), model.likelihoods(features), atol=1e-3)


def test_viterbi_is_the_best_of_all_paths():
    random = np.random.default_rng(0)
    emission, transition, start = random.normal(size=(5, 3)), random.normal(size=(3, 3)), random.normal(size=3)

    def score(path):
        steps = sum(transition[a, b] for a, b in itertools.pairwise(path))
        return start[path[0]] + sum(emission[k, s] for k, s in enumerate(path)) + steps

    best = max(itertools.product(range(3), repeat=5), key=score)
    assert tuple(viterbi(emission, transition, start)) == best


def test_in_order_goes_from_end_to_end():
    emission = np.full((8, 5), -5.0)
    for k, state in enumerate([0, 1, 1, 3, 3, 3, 4, 4]):
        emission[k, state] = 0.0
    np.testing.assert_array_equal(in_order(emission), [0, 1, 1, 3, 3, 3, 4, 4])


def test_segments_cover_time():
    assert segments(["A", "A", "B"]) == [
        (0.0, pytest.approx(0.03), "A"),
        (pytest.approx(0.03), pytest.approx(0.05), "B"),
    ]
