"""Emotion of every frame, by the teacher network.

Reads the crop, its `Landmarks` and the network, writes `Emotion`: 7 probabilities a frame, in DeepFace's order.
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Emotion, Landmarks
from emotag.config import EmotionConfig
from emotag.emotion import deepface, fer
from emotag.io.video import check_length, read_frames

PROVIDERS = {"fer": fer, "deepface": deepface}


def run(*, crop: Path, landmarks: Path, model: Path, out: Path, config: EmotionConfig) -> None:
    """Classify the tight face crop of each frame."""
    points = Landmarks.load(landmarks).points
    check_length(crop, len(points), landmarks)
    provider = PROVIDERS[config.provider]
    probabilities = provider.probabilities(provider.load(model), read_frames(crop), points)
    Emotion(probabilities=probabilities.astype(np.float32), provider=config.provider).save(out, stage.provenance())


if __name__ == "__main__":
    stage.main(run)
