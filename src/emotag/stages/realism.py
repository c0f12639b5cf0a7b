"""How real a synthetic clip looks to the networks that preprocess real ones.

Reads: crop, landmarks, alpha, labels and emotion of the clip by the ordinary stages, its truth and true labels, and the
second classifier's weights (not the teacher's). Writes: JSON with shares of frames and overlaps.
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import Emotion, Landmarks, Truth
from emotag.emotion import face_api
from emotag.io.artifact import read_json, write_json
from emotag.io.video import read_frames, read_gray
from emotag.tracking.framing import CropBox, cut_labels
from emotag.tracking.recovery import overlap
from emotag.tracking.regions import INDEX, head_mask
from emotag.types import EMOTIONS

# Masks are compared in every fifth frame.
EVERY = 5
OPAQUE = 128


def run(
    *, clip: str, crop: Path, crop_info: Path, landmarks: Path, alpha: Path, labels: Path, emotion: Path, truth: Path,
    true_labels: Path, scorer: Path, scorer_manifest: Path, out: Path,
) -> None:  # fmt: skip
    """Measure one clip."""
    known, mesh = Truth.load(truth), Landmarks.load(landmarks)
    boxes = read_json(crop_info, "boxes")["boxes"]
    person, head, hair = [], [], []
    chosen = range(0, len(mesh.points), EVERY)
    masks = (read_gray(path, only=list(chosen)) for path in (alpha, labels, true_labels))
    for index, soft, ours, theirs in zip(chosen, *masks, strict=True):
        left, top, right, _ = boxes[index]
        exact = cut_labels(theirs, CropBox(left, top, right - left), mesh.width)
        person.append(overlap(soft >= OPAQUE, exact != INDEX["background"]))
        head.append(overlap(head_mask(ours), head_mask(exact)))
        hair.append(overlap(ours == INDEX["hair"], exact == INDEX["hair"]))
    acted = EMOTIONS.index(known.emotion)
    teacher = Emotion.load(emotion).probabilities
    second = face_api.probabilities(face_api.load(scorer, scorer_manifest), read_frames(crop), mesh.points)
    seen = ~mesh.interpolated
    write_json(
        out,
        {
            "clip": clip,
            "person": known.person,
            "emotion": known.emotion,
            "level": known.level,
            "frames": len(seen),
            "face_found": float(seen.mean()),
            "matte_iou": float(np.mean(person)),
            "head_iou": float(np.mean(head)),
            "hair_iou": float(np.mean(hair)),
            "teacher_agrees": float((teacher.argmax(1) == acted)[seen].mean()),
            "teacher_probability": float(teacher[seen, acted].mean()),
            "scorer_agrees": float((second.argmax(1) == acted)[seen].mean()),
            "scorer_probability": float(second[seen, acted].mean()),
            "provenance": stage.provenance(),
        },
    )


if __name__ == "__main__":
    stage.main(run)
