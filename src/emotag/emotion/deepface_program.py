"""The side of provider deepface_package that runs in the environment of its own: it imports nothing of emotag.

`python -P deepface_program.py DETECTOR`: reads a line [B, H, W, 3] in JSON and that many bytes of RGB from stdin, and answers
on stdout with [B, 7] float32, until stdin ends. Everything else that is printed goes to stderr.
"""

import json
import math
import os
import sys

import numpy as np

LABELS = ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
NEUTRAL = np.eye(len(LABELS), dtype=np.float32)[-1]


def main() -> None:
    """Answer until there is nothing more to read."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    from deepface import DeepFace

    detector = sys.argv[1]
    for line in iter(sys.stdin.buffer.readline, b""):
        shape = json.loads(line)
        pictures = np.frombuffer(sys.stdin.buffer.read(math.prod(shape)), np.uint8).reshape(shape)
        answers.write(np.stack([probabilities(DeepFace, picture, detector) for picture in pictures]).tobytes())
        answers.flush()


def probabilities(package, picture: np.ndarray, detector: str) -> np.ndarray:
    """[7] of the largest face, summing to 1; neutral where the detector finds none, as EmoTaG counts such frames."""
    try:
        faces = package.analyze(
            picture[..., ::-1],
            actions=["emotion"],
            detector_backend=detector,
            enforce_detection=detector != "skip",
            align=detector != "skip",
            silent=True,
        )
    except ValueError as error:
        if "could not be detected" not in str(error):
            raise
        return NEUTRAL
    largest = max(faces, key=lambda face: face["region"]["w"] * face["region"]["h"])
    return np.array([largest["emotion"][label] for label in LABELS], np.float32) / 100


if __name__ == "__main__":
    main()
