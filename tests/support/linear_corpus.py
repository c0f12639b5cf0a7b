"""A small corpus whose lips are a linear function of its speech features and whose lids follow the cues."""

import numpy as np
import torch

from emotag.artifacts import Corpus
from emotag.motion import channels, prior, statistics
from emotag.motion.examples import examples_of, speech_windows
from emotag.motion.grmn import Architecture, GatedResidualMotionNetwork

NAMES = ["browInnerUp", "eyeBlinkLeft", "mouthFunnel", "mouthSmileLeft", "tongueOut", "jaw_x", "jaw_y", "jaw_z"]


def smooth(values, width=5):
    kernel = np.ones(width) / width
    return np.stack([np.convolve(column, kernel, "same") for column in values.T], 1)


def linear_corpus(people=7, seconds=6, features=10, noise=0.05, seed=0):
    rng = np.random.default_rng(seed)
    mixing = rng.normal(size=(features, len(NAMES)))
    frames = seconds * 25
    columns = {name: {} for name in ("motion", "action_units", "emotion", "identity", "features", "prosody")}
    clips = [f"clip{number}" for number in range(people)]
    for clip in clips:
        speech = smooth(rng.normal(size=(frames * 2, features)))
        cues = 5 * smooth((rng.uniform(size=(frames, 6)) > 0.9).astype(float), 3)
        motion = speech[::2] @ mixing + noise * rng.normal(size=(frames, len(NAMES)))
        motion = motion * rng.uniform(0.02, 0.05, len(NAMES)) + rng.uniform(0.2, 0.4, len(NAMES))
        motion[:, 0] = cues[:, 0] / 5 + rng.uniform(0, 0.1)
        motion[:, 1] = cues[:, 5] / 5 + rng.uniform(0, 0.1)
        emotion = rng.dirichlet(np.ones(7), frames)
        voiced = (rng.uniform(size=frames * 2) > 0.4).astype(float)
        prosody = np.stack([voiced * rng.normal(5, 0.2, frames * 2), voiced, rng.normal(-30, 5, frames * 2)], 1)
        values = (motion, cues, emotion, rng.normal(size=4), speech, prosody)
        for name, value in zip(columns, values, strict=True):
            columns[name][clip] = value.astype(np.float32)
    return Corpus(
        head_model="test",
        motion_names=NAMES,
        **columns,
        people={clip: f"person{number}" for number, clip in enumerate(clips)},
        offset_frames={clip: 0.0 for clip in clips},
        provider="test",
    )


def fitted(corpus, clips, **choices):
    """A small network with the ridge of these clips, the people's statistics, and which channels are of the upper face."""
    torch.manual_seed(0)
    architecture = Architecture(8, 10, 4, components=10, width=16, layers=1, heads=2, feedforward=16, **choices)
    network = GatedResidualMotionNetwork(architecture).eval()
    upper = channels.upper_face(corpus.motion_names)
    prior.fit_inputs(network, corpus, clips)
    pooled, people = statistics.of_people(corpus.motion, corpus.action_units, corpus.people, upper)
    network.set_statistics(prior.pooled_statistics(pooled, people))
    prior.fit_ridge(network, examples_of(corpus, clips, network.space, people), upper)
    return network, people, upper


def frames_of(corpus, clip, start, stop):
    """Motion, windows of speech and prosody, action units and identity: what `personalise` reads."""
    windows = speech_windows(corpus.features[clip], corpus.prosody[clip], np.arange(start, stop), 0.0)
    return corpus.motion[clip][start:stop], *windows, corpus.action_units[clip][start:stop], corpus.identity[clip]


def predicted(network, frames):
    """Motion in head units of frames as of `frames_of`."""
    with torch.no_grad():
        out = network(*(torch.from_numpy(np.asarray(part, np.float32)) for part in frames[1:]))
    return network.restore(out.motion).numpy()
