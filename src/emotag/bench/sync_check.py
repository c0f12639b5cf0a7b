"""SyncNet's self-test: the published clip of its authors, and whether it has the published numbers here.

github.com/joonson/syncnet_python, README: demo_syncnet.py on example.avi (faces already cut to 224 x 224 at 25 fps) must say an
offset of 3 frames, a least distance of 5.353 and a confidence of 10.021. There pictures go through JPEG files, here they do
not, so distances may differ a little.
"""

from pathlib import Path

from emotag.errors import FootageError
from emotag.io.audio import read_audio
from emotag.io.video import probe, read_frames
from emotag.metrics.syncnet import SIZE_PX, features, load, scores
from emotag.types import FPS

PUBLISHED = {"sync_offset": 3.0, "sync_e": 5.353, "sync_c": 10.021}
TOLERANCE = {"sync_offset": 0.0, "sync_e": 0.1, "sync_c": 0.1}


def run(model: Path, clip: Path) -> dict[str, dict[str, float]]:
    """{score: {found, published, tolerance}} of `clip` by the network of file `model`.

    Raises:
        AssetMissing, ArtifactMismatch: `model` is not there, or is not SyncNet v2.
        FootageError: the clip cannot be read, or is not 224 x 224 at 25 fps as the published one.
    """
    network = load(model)
    seen = probe(clip)
    if (seen.width, seen.height) != (SIZE_PX, SIZE_PX) or abs(seen.fps - FPS) > 0.01:
        raise FootageError(
            f"{clip}: found {seen.width}x{seen.height} at {seen.fps:g} fps, expected {SIZE_PX}x{SIZE_PX} at {FPS}: the "
            "example.avi of syncnet_python (python -m emotag accept syncnet_example.avi)"
        )
    faces = (frame[..., ::-1] for frame in read_frames(clip))
    found = scores(*features(network, faces, read_audio(clip)))
    return {
        name: {"found": found[name], "published": PUBLISHED[name], "tolerance": TOLERANCE[name]} for name in PUBLISHED
    }


def faults(result: dict[str, dict[str, float]]) -> list[str]:
    """A line for every score that is not the published one; not a number is none."""
    return [
        f"{name}: found {row['found']:.3f}, published {row['published']:.3f} (within {row['tolerance']:g})"
        for name, row in result.items()
        if not abs(row["found"] - row["published"]) <= row["tolerance"]
    ]


def table(result: dict[str, dict[str, float]]) -> str:
    """As Markdown."""
    rows = [f"| {name} | {row['found']:.3f} | {row['published']:.3f} |" for name, row in result.items()]
    return "\n".join(["| score | found | published |", "| --- | ---: | ---: |", *rows])
