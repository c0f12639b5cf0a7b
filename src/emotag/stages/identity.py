"""The identity feature, averaged over the most neutral frames of the adaptation part.

Reads `Subject`, and `Emotion` and `Tracks` of its clip; writes `Identity`. The feature of provider `shape` is the tracked
head's shape, which is one for all frames: the frames are recorded for what is chosen by them later. Provider `adaface` reads
crop, `Landmarks` and network as well, and sees the frames themselves.
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Emotion, Identity, Landmarks, Subject, Tracks
from emotag.config import IdentityConfig
from emotag.errors import ArtifactMismatch
from emotag.identity import adaface
from emotag.identity.neutral import most_neutral
from emotag.io.stamps import stamp
from emotag.io.video import read_frames


def run(
    *, subject: Path, emotion: Path, tracks: Path, appearance: list[Path], out: Path, config: IdentityConfig
) -> None:
    """Choose the frames and save the feature.

    Args: `appearance`: crop, landmarks and network of provider adaface, and empty otherwise.

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
    feature = seen(*appearance, chosen) if appearance else person.shape.astype(np.float32)
    Identity(embedding=feature, frames=chosen, provider=config.provider).save(
        out, stage.provenance() | stamp(*appearance[2:])
    )


def seen(crop: Path, landmarks: Path, network: Path, chosen: list[int]) -> np.ndarray:
    """[512] AdaFace's feature of the `chosen` frames."""
    wanted = set(chosen)
    pictures = (frame for index, frame in enumerate(read_frames(crop, 0, chosen[-1] + 1)) if index in wanted)
    return adaface.embedding(adaface.load(network), pictures, Landmarks.load(landmarks).points[chosen])


if __name__ == "__main__":
    stage.main(run)
