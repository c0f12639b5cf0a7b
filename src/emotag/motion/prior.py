"""The closed-form prior of a corpus: input standardisation, pooled motion space and the ridge paths."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from emotag.artifacts import Corpus
from emotag.motion import closed_form
from emotag.motion.examples import Example
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.skip import taps
from emotag.motion.statistics import MotionStatistics
from emotag.types import FPS

MAX_FRAMES = 10 * FPS  # no clip counts for more than ten seconds
RIDGE = 1.0  # times the mean diagonal: 0.1 to 1 are equally good among real clips, 1 is best from synthetic to real


def frame_weights(lengths: Sequence[int]) -> np.ndarray:
    """One weight a frame, such that a clip counts for ten seconds at most."""
    return np.concatenate([np.full(length, min(1.0, MAX_FRAMES / length)) for length in lengths])


def fit_inputs(network: GatedResidualMotionNetwork, corpus: Corpus, clips: Sequence[str]) -> None:
    """Principal components of the speech features, statistics of prosody and identity."""
    space, count = network.space, network.architecture.components
    features = np.concatenate([corpus.features[clip] for clip in clips])
    weights = frame_weights([len(corpus.features[clip]) for clip in clips])
    mean, basis = closed_form.principal_components(features, weights, count)
    prosody = np.concatenate([corpus.prosody[clip] for clip in clips]).astype(np.float64)
    voiced = prosody[:, 1] > 0.5
    pitch = prosody[voiced, 0] if voiced.any() else np.zeros(1)
    identity = np.stack([corpus.identity[clip] for clip in clips]).astype(np.float64)
    values = {
        "mean": mean,
        "basis": basis,
        "prosody_mean": [pitch.mean(), prosody[:, 1].mean(), prosody[:, 2].mean()],
        "prosody_scale": np.maximum([pitch.std(), prosody[:, 1].std(), prosody[:, 2].std()], 1e-3),
        "identity_mean": identity.mean(0),
        "identity_scale": np.full(identity.shape[1], identity_scale(identity)),
    }
    for name, value in values.items():
        getattr(space, name).copy_(torch.from_numpy(np.asarray(value, np.float32)))


def identity_scale(identity: np.ndarray) -> float:
    """One scale for all directions of identity features [n, I], because few people span few directions and one that nobody
    showed must not be blown up: their spread; of one person alone, who has none, the size of the feature itself."""
    spread = float(np.sqrt(identity.var(0).mean()))
    return spread if spread > 1e-6 else float(np.sqrt(np.square(identity).mean())) or 1.0


def fit_ridge(network: GatedResidualMotionNetwork, examples: Sequence[Example], upper: np.ndarray) -> None:
    """Both ridge paths from standardised examples: speech to lower face, cues to upper face; centred per clip."""
    weights = frame_weights([len(example.target) for example in examples])
    spoken = [taps(example.components).double().numpy() for example in examples]
    x = np.concatenate([clip - clip.mean(0) for clip in spoken])
    y = np.concatenate([centred(example.target) for example in examples])
    u = np.concatenate([centred(example.cues) for example in examples])
    speech_moment = closed_form.moment(x, weights, RIDGE)
    # Cues are few and nearly free of noise: only enough to keep a cue nobody used solvable.
    cue_moment = closed_form.moment(u, weights, 1e-3)
    speech_weight = closed_form.ridge_regression(x, y, weights, speech_moment) * ~upper
    cue_weight = closed_form.ridge_regression(u, y, weights, cue_moment) * upper
    mean_x = np.average(np.concatenate(spoken), axis=0, weights=weights)
    values = {
        "speech_weight": speech_weight,
        "speech_bias": -mean_x @ speech_weight,
        "cue_weight": cue_weight,
        "speech_moment": speech_moment,
        "cue_moment": cue_moment,
    }
    for name, value in values.items():
        getattr(network.skip, name).copy_(torch.from_numpy(value))


def centred(values: torch.Tensor) -> np.ndarray:
    """[T, D] around its mean over the clip, in float64."""
    values = values.double().numpy()
    return values - values.mean(0)


def pooled_statistics(pooled: np.ndarray, people: Mapping[str, MotionStatistics]) -> MotionStatistics:
    """The motion space of nobody in particular: mean of the people's means, pooled scale."""
    own = list(people.values())
    return MotionStatistics(
        np.mean([person.mean for person in own], 0), pooled, np.mean([person.cue_mean for person in own], 0)
    )
