"""A corpus that trains in seconds."""

from pathlib import Path

import numpy as np

from emotag.artifacts import Corpus

NAMES = ["eyeBlinkLeft", "mouthFunnel", "jaw_x"]


def write_corpus(path: Path, seed: int = 0) -> None:
    """Four people whose motion is a linear map of noise, in place of the talkers."""
    rng = np.random.default_rng(seed)
    mixing, clips = rng.normal(size=(6, 3)), [f"clip{number}" for number in range(4)]
    features = {clip: rng.normal(size=(120, 6)).astype(np.float32) for clip in clips}

    def each(make):
        return {clip: make(clip).astype(np.float32) for clip in clips}

    Corpus(
        head_model="test",
        motion_names=NAMES,
        motion=each(lambda clip: 0.1 * features[clip][::2] @ mixing),
        action_units=each(lambda clip: rng.uniform(0, 5, (60, 6))),
        emotion=each(lambda clip: rng.dirichlet(np.ones(7), 60)),
        identity=each(lambda clip: rng.normal(size=4)),
        features=features,
        prosody=each(lambda clip: rng.uniform(0, 1, (120, 3))),
        people={clip: clip for clip in clips},
        offset_frames=dict.fromkeys(clips, 0.0),
        provider="test",
    ).save(path)
