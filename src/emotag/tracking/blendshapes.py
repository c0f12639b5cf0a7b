"""MediaPipe's 52 blendshape scores of every frame, as a first guess of the tracked motion.

`face_landmarker.task` holds a network from 146 of the 478 landmarks to 52 scores 0 to 1 under ARKit's names (`_neutral` first;
MediaPipe's face_blendshapes_graph, after Grishchenko et al. 2022, "Blendshapes GHUM"). Its names are those of `ArkitHead`.
"""

from collections.abc import Iterable
from pathlib import Path

import mediapipe
import numpy as np

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.head.base import HeadModel

# Turn of an eye at a score of 1, rad: ours, as ARKit states none.
LOOK_ANGLE = 0.45
# Channels of the gaze: pitch and yaw of the left, then of the right eye, by what increases and what decreases them.
GAZE = (
    (0, "eyeLookDownLeft", "eyeLookUpLeft"), (1, "eyeLookOutLeft", "eyeLookInLeft"),
    (3, "eyeLookDownRight", "eyeLookUpRight"), (4, "eyeLookInRight", "eyeLookOutRight"),
)  # fmt: skip


def blendshape_scores(task: Path, frames: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """{name: [T]} of each frame [H, W, 3] uint8; NaN where no face is found.

    Raises:
        AssetMissing, ArtifactMismatch: the file is not there, or is no face landmarker.
    """
    if not Path(task).is_file():
        raise AssetMissing(f"{task} does not exist; snakemake fetch_assets gets it")
    vision = mediapipe.tasks.vision
    options = vision.FaceLandmarkerOptions(
        base_options=mediapipe.tasks.BaseOptions(model_asset_buffer=Path(task).read_bytes()),
        output_face_blendshapes=True,
        num_faces=1,
    )
    try:
        landmarker = vision.FaceLandmarker.create_from_options(options)
    except (RuntimeError, ValueError) as error:
        raise ArtifactMismatch(f"{task}: no face landmarker ({error}); delete it and fetch it again") from error
    rows: list[dict[str, float]] = []
    with landmarker:
        for frame in frames:
            picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(frame))
            found = landmarker.detect(picture).face_blendshapes
            rows.append({score.category_name: score.score for score in found[0]} if found else {})
    names = next((list(row) for row in rows if row), [])
    return {name: np.array([row.get(name, np.nan) for row in rows]) for name in names}


def motion_of(scores: dict[str, np.ndarray], head: HeadModel) -> np.ndarray:
    """Motion [T, E + 9] (expression, jaw, left eye, right eye) of scores; frames without a face rest.

    Raises:
        ArtifactMismatch: the head's units do not go by ARKit's names.
    """
    units = list(head.expression_names)
    if not set(units) & set(scores):
        raise ArtifactMismatch(f"head model {head.name} has no unit of ARKit's names; set track.initialise to rest")
    rest = np.zeros(len(next(iter(scores.values()))))
    found = {name: np.nan_to_num(values) for name, values in scores.items()}
    motion = np.zeros((len(rest), len(units) + 9))
    for column, name in enumerate(units):
        motion[:, column] = found.get(name, rest)
    motion[:, len(units)] = found.get("jawOpen", rest) * head.jaw_limits[0]
    motion[:, len(units) + 1] = (found.get("jawLeft", rest) - found.get("jawRight", rest)) * head.jaw_limits[1]
    for channel, more, less in GAZE:
        motion[:, len(units) + 3 + channel] = LOOK_ANGLE * (found.get(more, rest) - found.get(less, rest))
    return motion
