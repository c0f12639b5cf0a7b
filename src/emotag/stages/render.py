"""Driving codes to video: the avatar over the plate, with sound.

Reads: head, Subject, Avatar, one Motion or several of the same drive, plate.mp4 of the clip, the driving audio.wav.
Writes for each Motion: video.mp4 (H.264 + AAC), labelled as synthetic, and its sidecar.json.
"""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from emotag import stage
from emotag.artifacts import Avatar, Motion, Subject
from emotag.config import RenderConfig
from emotag.errors import ConfigError
from emotag.gaussians.deformer import RiggedDeformer
from emotag.gaussians.restore import antialiased, deformer_of
from emotag.geometry.camera import Camera
from emotag.head import models
from emotag.io.artifact import write_json
from emotag.io.audio import excerpt, read_audio
from emotag.io.tensors import Spool
from emotag.io.video import read_frames, write_video
from emotag.motion.codes import Codes, StoredCodes
from emotag.render import backends, compose
from emotag.render.base import Renderer
from emotag.types import FPS

CHUNK_FRAMES = 8
logger = logging.getLogger(__name__)


def run(
    *,
    head: Path,
    subject: Path,
    avatar: Path,
    motion: list[Path],
    plate: Path,
    audio: Path,
    facts: str,
    out: list[Path],
    out_sidecar: list[Path],
    config: RenderConfig,
    threads: int = 1,
) -> None:
    """Render each Motion. `facts` is JSON the sidecars repeat: identity, source, licence, consent."""
    torch.set_num_threads(threads)
    if not len(motion) == len(out) == len(out_sidecar):
        raise ConfigError(
            f"render: found {len(motion)} motions, {len(out)} videos and {len(out_sidecar)} sidecars, expected as many of "
            "each; correct the call"
        )
    spool = Spool(out[0].parent)
    driven = [Motion.open(path) for path in motion]
    # On disk, and before all else: memory does not grow with the sound, nor does its decoding come on top of the rest.
    heard = spool.keep(read_audio(audio))
    sounds = [spool.keep(excerpt(heard, moved.audio_start_s, len(moved.frames) / FPS)) for moved in driven]
    model, person, figure = models.load(head), Subject.load(subject), Avatar.load(avatar)
    deformer = deformer_of(model, person, figure)
    renderer = backends.load(config.backend, threads, antialiased(figure))
    camera = Camera.from_dict(person.camera).resized(config.size_px, config.size_px)
    files = {"head": head, "subject": subject, "avatar": avatar, "plate": plate, "audio": audio}
    for moved, sound, path, video, sidecar in zip(driven, sounds, motion, out, out_sidecar, strict=True):
        pictures = draw(deformer, renderer, camera, StoredCodes(moved), plate_frames(config, plate, moved.frames))
        write_video(video, pictures, fps=FPS, crf=config.crf, audio=sound, comment="synthetic: made by emotag")
        content = {
            "synthetic": True,
            **json.loads(facts),
            "variant": moved.variant,
            "adapt_scope": figure.scope,
            "plate": config.plate,
            "torso": "of the clip's own frames" if config.plate == "clip" else "none",
            "renderer": renderer.name,
            "gaussians": int(len(next(iter(figure.gaussians.values())))),
            "inputs": stage.digests(**files, motion=path),
        }
        write_json(sidecar, content)


def plate_frames(config: RenderConfig, plate: Path, frames: list[int]) -> Iterator[np.ndarray]:
    """The plate of each driven frame, in their order (which may run backwards)."""
    if config.plate != "clip":
        colour = {"white": 255, "black": 0}[config.plate]
        yield from (np.full((config.size_px, config.size_px, 3), colour, np.uint8) for _ in frames)
        return
    first, last = min(frames), max(frames)
    held = dict(enumerate(read_frames(plate, first, last + 1, size=config.size_px), first)) if _turns(frames) else None
    if held is not None:
        yield from (held[frame] for frame in frames)
    else:
        yield from read_frames(plate, first, last + 1, size=config.size_px)


def _turns(frames: list[int]) -> bool:
    """Whether the frames are anything but one run forwards."""
    return frames != list(range(frames[0], frames[0] + len(frames)))


def draw(
    deformer: RiggedDeformer,
    renderer: Renderer,
    camera: Camera,
    codes: Codes | StoredCodes,
    plates: Iterator[np.ndarray],
) -> Iterator[np.ndarray]:
    """Frames [H, W, 3] uint8, a chunk at a time, so that memory does not grow with the audio."""
    with torch.inference_mode():
        for start in range(0, len(codes), CHUNK_FRAMES):
            chunk = codes[start : start + CHUNK_FRAMES]
            frame = renderer.render(deformer(chunk), camera)
            behind = compose.to_unit(np.stack([next(plates) for _ in range(len(chunk))]))
            yield from compose.to_bytes(compose.over(frame, behind))
            if start % (25 * CHUNK_FRAMES) == 0:
                logger.info("frame %d of %d", start, len(codes))


if __name__ == "__main__":
    stage.main(run, gpu=True)
