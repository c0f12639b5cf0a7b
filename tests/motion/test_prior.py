"""The closed-form prior and its personal form, on a corpus whose truth is known."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch

from emotag.artifacts import ActionUnits, Identity, Speech
from emotag.motion import closed_form, cues, grmn, prior, scores
from emotag.motion.examples import FRAMEWISE, examples_of, speech_windows
from emotag.motion.personalise import Strength, gain, lower_face, personalise
from emotag.types import UPPER_FACE_AUS
from linear_corpus import fitted, frames_of, predicted

# Every lower channel is a measure of its own, then two measures that several channels share.
MEASURES = np.diag([0.0, 0, 1, 1, 1, 1, 1, 1])[:, 2:]
SHARED = np.array([[0, 0], [0, 0], [1, 0], [0.5, 1], [0, -1], [1, 1], [0, 0.3], [0.2, 0]])


@pytest.fixture(scope="module")
def ready(corpus):
    clips = sorted(corpus.motion)
    return fitted(corpus, clips[:-1]), clips[-1]


def test_prior_beats_the_mean_on_a_person_it_has_not_seen(corpus, ready):
    (network, people, upper), clip = ready
    example = examples_of(corpus, [clip], network.space, people)[0]
    guess, target = scores.predict(network, example)
    assert (scores.correlation(guess, target)[[0, 1, 2, 3, 5, 6, 7]] > 0.9).all()
    assert ((guess - target) ** 2).mean() < 0.2 * (target**2).mean()


def test_a_prior_of_one_person_stays_finite_for_another(corpus):
    """There is no spread among one person's identity features to divide by."""
    clips = sorted(corpus.motion)
    network, *_ = fitted(corpus, clips[:1])
    with torch.no_grad():
        for block in network.modules():  # as if it had been trained: AdaIN starts at zero
            if isinstance(block, torch.nn.Linear) and not block.weight.any():
                torch.nn.init.normal_(block.weight, std=0.05)
        out = network(*(torch.from_numpy(np.asarray(p, np.float32)) for p in frames_of(corpus, clips[1], 0, 20)[1:]))
    assert torch.isfinite(out.motion).all() and out.condition.abs().max() < 50
    assert prior.identity_scale(np.zeros(4), np.zeros(4)) == 1.0
    several = np.stack([corpus.identity[clip] for clip in clips]).astype(np.float64)
    assert prior.identity_scale(several.mean(0), several.std(0)) == pytest.approx(np.sqrt(several.var(0).mean()))


def test_cues_move_no_lower_channel_and_speech_no_upper_one(corpus, ready):
    (network, _, upper), clip = ready
    frames = list(frames_of(corpus, clip, 0, 20))
    before = predicted(network, frames)
    frames[3] = frames[3] + 2
    by_cues = predicted(network, frames) != before
    assert not by_cues[:, ~upper].any() and by_cues[:, upper].all()
    frames[3], frames[1] = frames[3] - 2, frames[1] + 1
    by_speech = np.abs(predicted(network, frames) - before) > 1e-6
    assert not by_speech[:, upper].any() and by_speech[:, ~upper].any()


def test_blinks_have_the_person_s_own_size(corpus, ready):
    (network, people, _), clip = ready
    frames = frames_of(corpus, clip, 0, 150)
    own = copy.deepcopy(network)
    own.set_statistics(people[corpus.people[clip]])
    assert np.abs(predicted(own, frames) - frames[0])[:, :2].max() < 0.03


def test_personal_form_mends_offset_and_scale_on_unseen_seconds(corpus, ready):
    (network, _, upper), clip = ready
    person = personalise(network, *frames_of(corpus, clip, 0, 100), upper, MEASURES, MEASURES)
    later = frames_of(corpus, clip, 100, 150)
    error = ((predicted(person, later) - later[0]) ** 2).mean(0)
    assert (error < 0.5 * ((predicted(network, later) - later[0]) ** 2).mean(0) + 1e-5).all()
    assert (error < 0.5 * later[0].var(0) + 1e-5)[[0, 1, 2, 3, 5, 6, 7]].all()


def test_personalise_changes_nothing_of_the_prior(corpus, ready):
    (network, _, upper), clip = ready
    before = network.arrays()
    personalise(network, *frames_of(corpus, clip, 0, 100), upper, MEASURES, MEASURES)
    assert all(np.array_equal(before[name], after) for name, after in network.arrays().items())


def test_infinite_prior_keeps_the_mapping(corpus, ready):
    (network, _, upper), clip = ready
    fixed = Strength(map_frames=1e15, gain_frames=1e15, unit_frames=1e15, amplitude=1.0)
    person = personalise(network, *frames_of(corpus, clip, 0, 100), upper, MEASURES, MEASURES, fixed)
    before, after = ((net.skip.speech_weight * net.motion_scale)[:, ~upper] for net in (network, person))
    assert torch.allclose(before, after, atol=1e-5)


def test_shared_measures_are_predicted_on_unseen_seconds(corpus, ready):
    (network, _, upper), clip = ready
    part, later = frames_of(corpus, clip, 0, 100), frames_of(corpus, clip, 100, 150)
    person = personalise(network, *part, upper, SHARED, SHARED, Strength(gain_frames=50.0, amplitude=1.0))
    guess, truth = predicted(person, later) @ SHARED, later[0] @ SHARED
    assert (scores.correlation(guess, truth) > 0.8).all()
    assert np.allclose(guess.std(0) / truth.std(0), 1, atol=0.25)


def test_amplitude_widens_speech_channels_alone(corpus, ready):
    (network, _, upper), clip = ready
    frames = frames_of(corpus, clip, 0, 100)
    one, two = (
        personalise(network, *frames, upper, MEASURES, MEASURES, Strength(amplitude=a)).statistics() for a in (1.0, 1.5)
    )
    assert np.allclose(two.scale / one.scale, np.where(upper, 1.0, 1.5), rtol=1e-5)


def test_gain_is_the_slope_with_the_prior_s_frames_of_slope_one_added():
    rng = np.random.default_rng(0)
    predicted = rng.normal(size=(125, 2))
    target = predicted * [3.0, 0.5]
    strength = Strength(gain_frames=200.0)
    expected = (125 * np.array([3.0, 0.5]) + 200) / 325
    assert np.allclose(gain(predicted, target, strength), expected)
    assert np.allclose(gain(predicted, -20 * target, strength), strength.gain_range[0])
    assert np.allclose(gain(predicted, target, Strength(gain_frames=1e15)), 1)


def whole_token_windows(tokens, frames):
    """Tokens 2t - 8 to 2t + 7 of frame t, the first and last repeated."""
    rows = [[tokens[min(max(2 * t + k, 0), len(tokens) - 1)] for k in range(-8, 8)] for t in range(frames)]
    return torch.from_numpy(np.array(rows, np.float32))


def test_windows_of_whole_tokens_reach_training_and_driving(corpus):
    """What the network is trained on and what drives it are the tools' windows, to the bit of the tokens."""
    network, people, _ = fitted(corpus, sorted(corpus.motion), windows="tokens")
    clip = sorted(corpus.motion)[0]
    features, frames = corpus.features[clip], len(corpus.motion[clip])
    with torch.no_grad():
        components = network.space.components(torch.from_numpy(features)).numpy()
    example = examples_of(corpus, [clip], network.space, people)[0].read(0, frames)
    assert torch.equal(example.components, whole_token_windows(components, frames))
    prosody = corpus.prosody[clip]
    heard = Speech(features, *prosody.T.copy(), provider="p", revision="r")
    units = ActionUnits(list(UPPER_FACE_AUS), corpus.action_units[clip], "p")
    driven = cues.gather(
        heard, np.arange(frames), 0.0, units, np.arange(frames), Identity(corpus.identity[clip], [0], "p"), "tokens"
    )
    assert torch.equal(driven.speech, whole_token_windows(features, frames))
    assert torch.equal(driven.prosody, whole_token_windows(prosody, frames))
    again = grmn.load(network.arrays(), network.architecture.plain())
    assert again.architecture.windows == again.space.windows == "tokens"


def test_runs_of_a_clip_are_those_of_the_whole(corpus, ready):
    """Whichever frames are read, with the picture early, late, or beyond the speech."""
    (network, people, _), clip = ready
    for offset in (0.0, 3.3, -2.7, 200.0):
        moved = replace(corpus, offset_frames=corpus.offset_frames | {clip: offset})
        (stored,) = examples_of(moved, [clip], network.space, people)
        whole = stored.read(0, len(stored))
        for start, stop in ((0, 5), (17, 60), (140, 999), (149, 150)):
            run, part = stored.read(start, stop), whole.read(start, stop)
            assert len(run) == len(part)
            for name in (*FRAMEWISE, "identity"):
                assert torch.allclose(getattr(run, name), getattr(part, name), atol=1e-5)
    windows = speech_windows(corpus.features[clip], corpus.prosody[clip], np.arange(150), 200.0)[0]
    assert np.allclose(network.space.components(torch.from_numpy(windows)), whole.components, atol=1e-4)


def test_ridge_from_sums_is_that_of_all_frames_at_once(corpus, ready, monkeypatch):
    (network, people, upper), _ = ready
    clips = sorted(corpus.motion)[:-1]
    examples = [clip.read(0, len(clip)) for clip in examples_of(corpus, clips, network.space, people)]
    weights = np.concatenate([np.full(len(e), prior.clip_weight(len(e))) for e in examples])
    columns = [prior.columns_of(e) for e in examples]
    x, u, y = (np.concatenate([c[i] - c[i].mean(0) for c in columns]) for i in range(3))
    strength = closed_form.moment(x, weights, prior.RIDGE)
    expected = closed_form.ridge_regression(x, y, weights, strength) * ~upper
    assert np.allclose(network.skip.speech_weight, expected, atol=1e-6)
    assert np.allclose(network.skip.cue_moment, closed_form.moment(u, weights, 1e-3), atol=1e-7)
    monkeypatch.setattr("emotag.motion.examples.BLOCK_FRAMES", 40)
    monkeypatch.setattr(prior, "BLOCK_ROWS", 77)
    again, _, _ = fitted(corpus, clips)
    for name, value in network.arrays().items():
        assert np.allclose(value, again.arrays()[name], atol=1e-5)


def test_the_prior_s_measures_are_read_on_the_mouths_it_was_learnt_on():
    random = np.random.default_rng(3)
    x, truth = random.normal(size=(300, 12)), random.normal(size=(12, 2))
    follow = random.normal(size=(2, 5))
    jacobian = np.linalg.pinv(follow)
    # The prior moves other units for the same measures: on this person's mouth they would do something else.
    usual_follow = random.normal(size=(2, 5))
    strength = Strength(map_frames=1e9, unit_frames=1e-6)
    nothing = np.zeros((300, 2))
    arguments = (truth @ usual_follow, np.eye(12), x, x @ truth @ follow, jacobian)
    right, _ = lower_face(*arguments, np.linalg.pinv(usual_follow), strength, nothing)
    np.testing.assert_allclose(x @ right, x @ truth @ follow, atol=1e-3)
    wrong, _ = lower_face(*arguments, jacobian, strength, nothing)
    assert np.abs(x @ wrong - x @ truth @ follow).max() > 0.5
