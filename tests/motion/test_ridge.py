import numpy as np

from emotag.audio.windows import sample
from emotag.motion.ridge import STEP_S, TAPS, Pair, Ridge, standardise


def pairs(clips: int = 3, seed: int = 0) -> list[Pair]:
    """Targets that are a fixed linear map of the windows, with noise."""
    random = np.random.default_rng(seed)
    weights = np.random.default_rng(9).normal(size=(TAPS * 5, 2))
    made = []
    for _ in range(clips):
        features = random.normal(size=(200, 5))
        times = np.arange(90) / 25 + random.uniform(0, 0.04)
        windows = sample(features, times, TAPS, STEP_S).reshape(len(times), -1)
        made.append(Pair(features, times, windows @ weights + 0.1 * random.normal(size=(len(times), 2)) + 3))
    return made


def joined(ridge: Ridge, material: list[Pair]) -> tuple[np.ndarray, np.ndarray]:
    inputs = np.concatenate([ridge.inputs(p.features, p.times_s) for p in material])
    return inputs, np.concatenate([p.targets for p in material])


def test_without_penalty_it_is_least_squares():
    material = pairs()
    ridge = Ridge.fit(material, components=5, ridge=0.0)
    inputs, targets = joined(ridge, material)
    design = np.hstack([inputs, np.ones((len(inputs), 1))])
    solution, *_ = np.linalg.lstsq(design, targets, rcond=None)
    np.testing.assert_allclose(np.vstack([ridge.weights, ridge.bias]), solution, atol=1e-5)


def test_the_penalty_is_that_of_the_augmented_system():
    material, share = pairs(), 0.5
    ridge = Ridge.fit(material, components=4, ridge=share)
    inputs, targets = joined(ridge, material)
    x, y = inputs - inputs.mean(0), targets - targets.mean(0)
    root = np.sqrt(share * (x**2).mean() * len(x))
    solution, *_ = np.linalg.lstsq(
        np.vstack([x, root * np.eye(x.shape[1])]), np.vstack([y, np.zeros((x.shape[1], 2))]), rcond=None
    )
    np.testing.assert_allclose(ridge.weights, solution, atol=1e-8)


def test_a_strangers_clip_is_predicted():
    ridge = Ridge.fit(pairs(6), components=5, ridge=1e-3)
    new = pairs(1, seed=5)[0]
    error = ridge.predict(new.features, new.times_s) - new.targets
    assert error.std() < 0.1 * new.targets.std()


def test_long_clips_do_not_outweigh_short_ones():
    short, long = pairs(2)
    long = Pair(np.tile(long.features, (4, 1)), np.tile(long.times_s, 4), np.tile(long.targets, (4, 1)))
    once, often = Ridge.fit([short, long], 5, max_frames=90), Ridge.fit(pairs(2), 5, max_frames=90)
    np.testing.assert_allclose(once.weights, often.weights, atol=1e-9)


def test_adaptation_runs_from_the_prior_to_the_persons_own_least_squares():
    prior, own = Ridge.fit(pairs(), components=2, ridge=0.1), pairs(1, seed=7)[0]
    own = Pair(own.features, own.times_s, -own.targets)
    inputs, targets = joined(prior, [own])
    x, y = inputs - inputs.mean(0), targets - targets.mean(0)
    np.testing.assert_allclose(prior.adapt(own, 1e12).weights, prior.weights, atol=1e-6)
    np.testing.assert_allclose(prior.adapt(own, 1e-9).weights, np.linalg.lstsq(x, y, rcond=None)[0], atol=1e-4)
    frames = 40.0
    expected = np.linalg.solve(
        x.T @ x + frames * prior.moment, x.T @ y + frames * prior.moment @ prior.weights
    )  # the normal equations of the penalised problem
    adapted = prior.adapt(own, frames)
    np.testing.assert_allclose(adapted.weights, expected, atol=1e-8)
    np.testing.assert_allclose(adapted.predict(own.features, own.times_s).mean(0), own.targets.mean(0))


def test_adaptation_can_leave_columns_alone():
    prior, own = Ridge.fit(pairs(), components=5), pairs(1, seed=7)[0]
    adapted = prior.adapt(own, 10.0, columns=(0,))
    np.testing.assert_array_equal(adapted.weights[:, 1], prior.weights[:, 1])
    assert np.abs(adapted.weights[:, 0] - prior.weights[:, 0]).max() > 1e-4


def test_arrays_come_back():
    ridge, clip = Ridge.fit(pairs(), components=5), pairs(1, seed=3)[0]
    again = Ridge.from_arrays(ridge.to_arrays())
    difference = again.predict(clip.features, clip.times_s) - ridge.predict(clip.features, clip.times_s)
    assert np.abs(difference).max() < 1e-4


def test_standardised_columns():
    found = standardise(np.array([[1.0, 5.0], [3.0, 5.0]]))
    np.testing.assert_allclose(found, [[-1, 0], [1, 0]])
