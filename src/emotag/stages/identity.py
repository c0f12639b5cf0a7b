"""The identity feature, averaged over the most neutral frames of the adaptation part.

Reads `Subject`, and `Emotion` and `Tracks` of its clip; writes `Identity`. The feature of provider `shape` is the tracked
head's shape, which is one for all frames: the frames are recorded for what is chosen by them later.
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Emotion, Identity, Subject, Tracks
from emotag.config import IdentityConfig
from emotag.errors import ArtifactMismatch
from emotag.identity.neutral import most_neutral


def run(*, subject: Path, emotion: Path, tracks: Path, out: Path, config: IdentityConfig) -> None:
    """Choose the frames and save the feature.

    Raises:
        ArtifactMismatch: emotion and tracks are of clips of different lengths.
    """
    person = Subject.load(subject)
    probabilities = Emotion.load(emotion).probabilities
    frames = len(Tracks.load(tracks).expression)
    if len(probabilities) != frames:
        raise ArtifactMismatch(f"{emotion}: {len(probabilities)} frames, but {tracks} has {frames}; make both again")
    start, stop = person.part
    chosen = most_neutral(probabilities, (start, stop), config.frames)
    identity = Identity(embedding=person.shape.astype(np.float32), frames=chosen, provider=config.provider)
    identity.save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
