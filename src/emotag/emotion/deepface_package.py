"""DeepFace's emotions by the `deepface` package itself, which needs TensorFlow and so runs in an environment of its own.

The environment is built by stage environment from envs/deepface.txt; its interpreter runs `deepface_program`, which this
module talks to through pipes. The package's weights are the assets, linked into a folder that stands as DEEPFACE_HOME, so it
never downloads. Detector `mesh` gives it the levelled face of `emotag.emotion.deepface`, so both providers agree; `opencv`
and `retinaface` (EmoTaG's) see whole frames. A face takes 8 ms with `mesh` on one core, after 3 s of start; 0.7 GB.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

import numpy as np

from emotag.emotion import deepface_program
from emotag.emotion.deepface import level_canvas
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.types import EMOTIONS

BATCH = 16
# The package's own names; with `skip` the whole picture is the face.
DETECTORS = {"mesh": "skip", "opencv": "opencv", "retinaface": "retinaface"}


def probabilities(
    interpreter: Path, files: list[Path], frames: Iterable[np.ndarray], points: np.ndarray, detector: str
) -> np.ndarray:
    """[T, 7] of RGB `frames` [H, W, 3] uint8 with mesh `points` [T, 478, 3] px.

    Args: `files`: the package's weights, under the names it gives them.

    Raises:
        AssetMissing: the environment or a file is not there.
        ArtifactMismatch: the package fails.
    """
    for file in (interpreter, *files):
        if not file.is_file():
            raise AssetMissing(f"{file} does not exist; let Snakemake make it, or put it into data/by_hand")
    pictures = iter(frames)
    if detector == "mesh":
        pictures = (level_canvas(frame, mesh) for frame, mesh in zip(frames, points, strict=True))
    with tempfile.TemporaryDirectory(prefix="deepface-") as home, tempfile.TemporaryFile() as complaints:
        place = Path(home, ".deepface", "weights")
        place.mkdir(parents=True)
        for file in files:
            (place / file.name).symlink_to(file.absolute())
        program = [str(interpreter), "-P", deepface_program.__file__, DETECTORS[detector]]
        with subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=complaints, env=environment(home)
        ) as process:
            try:
                scores = list(exchange(process, pictures))
            except (OSError, ValueError) as error:
                process.kill()
                with suppress(OSError):  # what is still in the pipe's buffer
                    process.stdin.close()
                process.wait()
                complaints.seek(0)
                lines = complaints.read().decode(errors="replace").strip().splitlines() or [str(error)]
                raise ArtifactMismatch(
                    f"deepface in {interpreter}: stopped with {lines[-1]!r}; check its weights, or delete the environment's "
                    "folder, and the next run builds it again"
                ) from error
    return np.concatenate([np.zeros((0, len(EMOTIONS)), np.float32), *scores])


def environment(home: str) -> dict[str, str]:
    """Variables of the other interpreter: nothing of this one's modules, no GPU, and `home` for the package's files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "CUDA"))}
    return kept | {"DEEPFACE_HOME": home, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def exchange(process: subprocess.Popen, pictures: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Scores [B, 7] of the `pictures`, a batch at a time, so that memory does not grow with the clip."""
    while batch := list(islice(pictures, BATCH)):
        shape = (len(batch), *batch[0].shape)
        process.stdin.write(json.dumps(shape).encode() + b"\n" + np.stack(batch).tobytes())
        process.stdin.flush()
        answer = process.stdout.read(4 * len(batch) * len(EMOTIONS))
        yield np.frombuffer(answer, np.float32).reshape(len(batch), len(EMOTIONS))
    process.stdin.close()
