"""People stay themselves from clip to clip, and differ from each other; what a camera does follows its formulas."""

from pathlib import Path

import numpy as np
import pytest

from emotag.synthetic import takes
from emotag.synthetic.casting import Sensor, cast
from emotag.synthetic.expressions import LEVEL_STRENGTH, acted
from emotag.synthetic.sensor import exposed
from emotag.types import EMOTIONS

SIZE = 64


@pytest.fixture(scope="module")
def spoken():
    return takes.load(Path(__file__).resolve().parents[2] / "data" / "takes" / "speaker04.json")


def test_a_person_stays_and_a_scene_changes(spoken):
    first, second = (cast(3, clip, 0, spoken, 20, SIZE) for clip in (0, 1))
    np.testing.assert_array_equal(first.person.shape, second.person.shape)
    assert (first.look.skin, first.look.hair, first.look.iris) == (second.look.skin, second.look.hair, second.look.iris)
    assert first.look.shirt != second.look.shirt and first.camera != second.camera
    assert first.person.seed != second.person.seed and first.take.speaker == second.take.speaker


def test_people_differ_and_a_seed_repeats(spoken):
    roles = [cast(number, 0, 0, spoken, 20, SIZE) for number in range(12)]
    assert len({role.look.skin for role in roles}) == 12
    assert len({role.person.seed + clip for role in roles for clip in range(8)}) == 96
    again, other = cast(5, 2, 0, spoken, 20, SIZE), cast(5, 2, 1, spoken, 20, SIZE)
    assert again.look == cast(5, 2, 0, spoken, 20, SIZE).look != other.look


def test_faces_fill_a_fitting_part_of_the_picture(spoken):
    for role in (cast(number, 0, 0, spoken, 20, SIZE) for number in range(30)):
        # A face is 0.12 m from brow to chin.
        height = 0.12 * role.camera.fy / -role.place[2] / SIZE
        assert 0.2 < height < 0.35


def test_emotion_follows_the_level_and_the_voice():
    level_db = np.repeat([-40.0, 0.0], 50)
    strengths = [acted("happy", level, level_db)[:, EMOTIONS.index("happy")] for level in range(4)]
    assert not strengths[0].any() and np.all(np.diff([s.mean() for s in strengths]) > 0)
    assert strengths[2][5] == pytest.approx(0.75 * LEVEL_STRENGTH[2], rel=1e-2)
    assert strengths[2][-5] == pytest.approx(1.15 * LEVEL_STRENGTH[2], rel=1e-2)
    assert not acted("neutral", 3, level_db).any()


def test_noise_has_the_stated_variance():
    light = np.full((200, 200, 3), 0.4, np.float32)
    sensor = Sensor(np.ones(3), 0.0, shot=0.02, read=0.005)
    picture = (exposed(light, sensor, np.random.default_rng(0)) / 255.0) ** 2.2
    assert picture.mean() == pytest.approx(0.4, rel=0.01)
    assert picture.std() == pytest.approx(np.sqrt(0.005**2 + 0.02**2 * 0.4), rel=0.05)
    np.testing.assert_array_equal(
        exposed(light, sensor, np.random.default_rng(0)), exposed(light, sensor, np.random.default_rng(0))
    )
