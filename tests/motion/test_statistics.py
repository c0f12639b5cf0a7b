"""Channels and motion space."""

import numpy as np

from emotag.motion import channels, statistics

rng = np.random.default_rng(0)


def test_upper_face_takes_nothing_of_the_mouth():
    names = channels.motion_names(["browDownLeft", "eyeBlinkLeft", "cheekSquintLeft", "cheekPuff", "mouthClose", "x1"])
    assert channels.upper_face(names).tolist() == [True, True, True, False, False, False, False, False, False]
    assert channels.lips(names).tolist() == [False, False, False, False, True, False, True, True, True]
    assert not (channels.upper_face(names) & channels.lips(names)).any()


def test_standardise_and_restore_are_inverse():
    motion, upper = rng.normal(size=(80, 3)), np.array([True, False, False])
    space = statistics.of_person(motion, rng.uniform(0, 5, (80, 6)), np.ones(3), upper, prior_frames=0)
    standard = space.standardise(motion)
    assert np.allclose(standard[:, 1:].std(0), 1) and np.allclose(standard.mean(0), 0)
    assert np.allclose(space.restore(standard), motion)


def test_scale_is_shrunk_towards_the_pooled_one_and_upper_face_keeps_it():
    motion, upper = np.zeros((75, 2)), np.array([True, False])
    space = statistics.of_person(motion, np.zeros((75, 6)), np.array([0.2, 0.2]), upper, prior_frames=25)
    assert np.allclose(space.scale, [0.2, 0.1])


def test_pooled_scale_caps_long_clips():
    short, long = rng.normal(size=(250, 1)), 3 * rng.normal(size=(5000, 1))
    expected = np.sqrt((short.var() + long.var()) / 2)
    assert np.isclose(statistics.pooled_scale([short, long])[0], expected)


def test_cues_are_shares_around_the_person_s_mean():
    cues = rng.uniform(0, 5, (40, 6))
    space = statistics.of_person(np.zeros((40, 2)), cues, np.ones(2), np.zeros(2, bool))
    assert np.allclose(space.cues(cues).mean(0), 0)
    assert np.allclose(space.cues(cues)[1] - space.cues(cues)[0], (cues[1] - cues[0]) / 5)
