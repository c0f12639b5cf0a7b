"""The talker: lips on the posed head are the wanted ones, motion is legal, repeatable and blinks."""

import numpy as np
import pytest
import torch

from emotag.synthetic.expressions import Mood, emotional_units, intensities, teacher
from emotag.synthetic.mouth import CLOSED_GAP, mouth_model
from emotag.synthetic.talker import default_camera, perform, random_person
from emotag.synthetic.voices import DEMO
from emotag.tracking.lip_measures import lip_measures
from emotag.types import EMOTIONS, NEUTRAL

FRAMES = 250
MOODS = [Mood(0, "happy", 0.6), Mood(5, "angry", 0.8)]


def play(head, voices, seed=5):
    person = random_person("someone", head.shape_size, seed)
    return perform(head, person, voices[DEMO], intensities(MOODS, FRAMES), default_camera(256))


@pytest.fixture(scope="module")
def shown(head, voices):
    return play(head, voices)


@pytest.fixture(scope="module")
def measured(head, shown):
    """Lip measures [T, 4] of the landmarks of the posed head, head motion and all."""
    tracks = shown.tracks
    names = ("expression", "jaw", "neck", "eyes", "rotation", "translation")
    pose = [torch.from_numpy(getattr(tracks, name)) for name in names]
    small = head.for_landmarks()
    points = small.landmarks(small.vertices(torch.from_numpy(tracks.shape)[None], *pose)).numpy()
    return lip_measures(points * np.array([1, -1, -1]))


@pytest.mark.parametrize(("column", "correlation"), [(0, 0.95), (1, 0.98), (2, 0.8), (3, 0.95)])
def test_lips_of_the_posed_head_follow(shown, measured, column, correlation):
    assert np.corrcoef(shown.lips[:, column], measured[:, column])[0, 1] > correlation
    assert 0.6 < measured[:, column].std() / shown.lips[:, column].std() < 1.4


def test_bilabials_close_the_lips(shown, measured, voices):
    middle = [round((a + b) / 2 * 25 - 1) for a, b, s in voices[DEMO].phones if s in "PBM" and b < FRAMES / 25]
    open_vowels = [
        round((a + b) / 2 * 25 - 1) for a, b, s in voices[DEMO].phones if s in ("AA", "AE", "EH") and b < 9.9
    ]
    assert np.median(measured[middle, 0]) < 0.4 * np.median(measured[open_vowels, 0])
    assert np.median(measured[middle, 0]) < CLOSED_GAP + 0.035


def test_motion_is_legal(head, shown):
    tracks = shown.tracks
    assert tracks.expression.min() >= 0 and tracks.expression.max() <= 1
    assert tracks.jaw.min() >= 0 and tracks.jaw[:, 0].max() <= head.jaw_limits[0] + 1e-6
    assert np.degrees(np.abs(tracks.rotation)).max() < 20 and np.all(tracks.translation[:, 2] < -0.5)
    np.testing.assert_allclose(shown.emotion.sum(1), 1, rtol=1e-5)
    assert np.abs(np.diff(tracks.expression, axis=0)).max() < 0.85


def test_it_blinks_wholly_every_few_seconds(head, shown):
    closure = shown.tracks.expression[:, head.unit("eyeBlinkLeft")]
    onsets = np.flatnonzero(np.diff((closure > 0.7).astype(int)) == 1)
    assert 2 <= len(onsets) <= 6 and closure.max() > 0.9


def test_same_seed_same_bytes(head, voices, shown):
    again, other = play(head, voices), play(head, voices, seed=6)
    for name in ("expression", "jaw", "eyes", "rotation", "translation", "shape"):
        assert getattr(again.tracks, name).tobytes() == getattr(shown.tracks, name).tobytes()
    assert not np.array_equal(other.tracks.rotation, shown.tracks.rotation)


def test_reachable_lips_are_reached(head):
    mouth = mouth_model(head, np.zeros(head.shape_size, np.float32))
    strength = np.zeros((3, len(mouth.controls)))
    strength[0, 0], strength[1, [0, 3]], strength[2, 6] = 0.3, (0.15, 0.5), 0.5
    wanted = mouth.measures(strength @ mouth.controls)
    solved = mouth.solve(wanted, np.zeros((3, mouth.controls.shape[1])), strength)
    np.testing.assert_allclose(mouth.measures(solved), wanted, atol=0.02)


def test_moods_show_and_are_named():
    course = intensities([Mood(0, "neutral", 0), Mood(4, "surprise", 1.0)], 200)
    odds = teacher(course, np.random.default_rng(0))
    assert odds[:75].mean(0).argmax() == NEUTRAL and EMOTIONS[odds[140:].mean(0).argmax()] == "surprise"
    units = emotional_units(course, ["browInnerUp", "browOuterUpLeft", "mouthSmileLeft"])
    assert np.abs(units[:75]).max() < 0.01 and units[-1, 0] > 0.7 and units[-1, 1] > 0.7 and units[-1, 2] == 0
