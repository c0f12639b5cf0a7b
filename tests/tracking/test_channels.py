import numpy as np

from emotag.tracking.channels import channels_of


def test_channels_cover_expression_jaw_and_eyes(toy_head):
    channels = channels_of(toy_head)
    for values in (channels.lower, channels.upper, channels.rest, channels.l2, channels.l1, channels.time_constants):
        assert values.shape == (8 + 9,)
    assert np.all(channels.lower <= channels.rest) and np.all(channels.rest <= channels.upper)


def test_lids_and_lips_are_smoothed_less_than_brows(toy_head):
    times = dict(zip(toy_head.expression_names, channels_of(toy_head).time_constants, strict=False))
    assert times["eyeBlinkLeft"] < times["mouthSmileLeft"] < times["browInnerUp"]


def test_gradient_is_that_of_the_cost(toy_head):
    channels, random = channels_of(toy_head), np.random.default_rng(0)
    motion, direction = random.uniform(0.1, 0.9, (3, 17)), random.normal(size=(3, 17))
    blocks, gradient = np.zeros((3, 17, 17)), np.zeros((3, 17))
    channels.add_to(motion, blocks, gradient)
    slope = (channels.cost(motion + 1e-5 * direction) - channels.cost(motion - 1e-5 * direction)) / 2e-5
    np.testing.assert_allclose((gradient * direction).sum(), slope, rtol=1e-6)
    np.testing.assert_allclose(np.diagonal(blocks, axis1=1, axis2=2), np.tile(channels.l2, (3, 1)))
