"""A person's adaptation part of a few frames, drawn by nobody: noise inside a disc, with a tracked head behind it."""

from pathlib import Path

import numpy as np

from emotag.artifacts import ActionUnits, Emotion, Geometry, Identity, Speech, Subject, Tracks
from emotag.io.artifact import write_json
from emotag.io.video import write_gray, write_video
from emotag.tracking.regions import INDEX
from emotag.types import UPPER_FACE_AUS

FRAMES, SIZE, FEATURES = 6, 48, 6


def write_person(folder: Path, head, seed: int, frames: int = FRAMES) -> dict[str, Path]:
    """Every file that stage adapt reads of a person, by the name of its argument."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    endings = {"crop": "mp4", "alpha": "mkv", "labels": "mkv", "sync": "json"}
    names = (
        "subject",
        "identity",
        "geometry",
        "tracks",
        "action_units",
        "sync",
        "emotion",
        "speech",
        *("crop", "alpha"),
    )
    files = {name: folder / f"{name}.{endings.get(name, 'safetensors')}" for name in (*names, "labels")}
    units, shape = len(head.expression_names), np.zeros(head.shape_size, np.float32)
    camera = dict(fx=2.0 * SIZE, fy=2.0 * SIZE, cx=SIZE / 2, cy=SIZE / 2, width=SIZE, height=SIZE)
    zeros = {name: np.zeros((frames, size), np.float32) for name, size in (("neck", 3), ("eyes", 6), ("rotation", 3))}
    model = {"head_model": head.name, "expression_names": list(head.expression_names)}
    Tracks(
        shape=shape,
        expression=rng.uniform(0, 0.2, (frames, units)).astype(np.float32),
        jaw=rng.uniform(0, 0.1, (frames, 3)).astype(np.float32),
        translation=np.tile(np.float32([0, 0, -0.8]), (frames, 1)),
        camera=camera,
        landmark_error=np.zeros((frames, 478), np.float32),
        interpolated=np.zeros(frames, bool),
        **model,
        **zeros,
    ).save(files["tracks"])
    Subject(
        shape=shape,
        camera=camera,
        landmark_offsets=np.zeros((478, 3), np.float32),
        neutral_expression=np.zeros(units, np.float32),
        neutral_jaw=np.zeros(3, np.float32),
        vertex_colours=rng.uniform(0, 1, (head.vertex_count, 3)).astype(np.float32),
        clip="clip",
        part=[0, frames],
        **model,
    ).save(files["subject"])
    valid = np.ones((frames, 24, 24), bool)
    slope = np.broadcast_to(np.linspace(0.7, 0.9, 24)[:, None], valid.shape)
    facing = np.broadcast_to([0, 0, 127], (*valid.shape, 3))
    Geometry(slope.astype(np.float16), facing.astype(np.int8), valid, [0, frames], "mesh").save(files["geometry"])
    Identity(rng.normal(size=4).astype(np.float32), [0], "shape").save(files["identity"])
    Emotion(rng.dirichlet(np.ones(7), frames).astype(np.float32), "fer").save(files["emotion"])
    intensity = rng.uniform(0, 5, (frames, len(UPPER_FACE_AUS))).astype(np.float32)
    ActionUnits(list(UPPER_FACE_AUS), intensity, "expression").save(files["action_units"])
    tokens = 2 * frames
    voice = {name: rng.uniform(0, 1, tokens).astype(np.float32) for name in ("log_f0", "voiced", "energy")}
    features = rng.normal(size=(tokens, FEATURES)).astype(np.float32)
    Speech(features=features, provider="whisper", revision="test", **voice).save(files["speech"])
    write_json(files["sync"], {"offset_frames": 0.0})
    across = np.hypot(*np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]) < 0.7
    write_video(files["crop"], list(rng.integers(0, 255, (frames, SIZE, SIZE, 3), np.uint8)))
    write_gray(files["alpha"], np.broadcast_to(255 * across, (frames, SIZE, SIZE)).astype(np.uint8))
    write_gray(files["labels"], np.full((frames, SIZE, SIZE), INDEX["skin"], np.uint8))
    return files
