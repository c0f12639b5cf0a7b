"""Emotion of every frame, by the teacher network.

Reads the crop, its `Landmarks` and the network, writes `Emotion`: 7 probabilities a frame, in DeepFace's order. Provider
deepface_package reads the stamp of its environment as well, and the weights of its detector where that has any.
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Emotion, Landmarks
from emotag.config import EmotionConfig
from emotag.emotion import deepface, deepface_package, fer
from emotag.io.stamps import stamp
from emotag.io.video import check_length, read_frames
from emotag.stages.environment import interpreter

PROVIDERS = {"fer": fer, "deepface": deepface}


def run(*, crop: Path, landmarks: Path, model: Path, package: list[Path], out: Path, config: EmotionConfig) -> None:
    """Classify the tight face crop of each frame.

    Args: `package`: the environment's stamp, and the detector's weights, of provider deepface_package; empty otherwise.
    """
    points = Landmarks.load(landmarks).points
    check_length(crop, len(points), landmarks)
    frames = read_frames(crop)
    if package:
        ready, *detector = package
        files = [model, *detector]
        probabilities = deepface_package.probabilities(interpreter(ready), files, frames, points, config.detector)
    else:
        provider = PROVIDERS[config.provider]
        probabilities = provider.probabilities(provider.load(model), frames, points)
    made = Emotion(probabilities=probabilities.astype(np.float32), provider=config.provider)
    made.save(out, stage.provenance() | stamp(model, *package[1:], packages=package[:1]))


if __name__ == "__main__":
    stage.main(run)
