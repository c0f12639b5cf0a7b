"""How fast an avatar speaks: speech features once a sequence, motion and pictures per frame, in one process.

Reads: head, Subject, Identity, Avatar, the drive's Motion, ActionUnits, Speech and sync.json of its clip, the driving sound and
the speech model. Writes: JSON with milliseconds and frames a second. Times are of this machine, so the file is a benchmark and
no artifact; run it on an idle machine.
"""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from emotag import stage
from emotag.artifacts import ActionUnits, Avatar, Identity, Motion, Speech, Subject
from emotag.audio import speech as features
from emotag.config import RenderConfig, SpeechConfig
from emotag.gaussians.restore import antialiased, deformer_of
from emotag.geometry.camera import Camera
from emotag.head import models
from emotag.io.artifact import read_json, write_json
from emotag.io.audio import read_audio
from emotag.motion import cues, driving, grmn
from emotag.motion.codes import Codes
from emotag.render import backends

WARM_UP, TIMED = 5, 50


def run(
    *,
    head: Path,
    subject: Path,
    identity: Path,
    avatar: Path,
    motion: Path,
    action_units: Path,
    sync: Path,
    speech: Path,
    audio: Path,
    model: Path,
    out: Path,
    config: RenderConfig,
    speech_config: SpeechConfig,
    threads: int = 1,
) -> None:
    """Time one self-driven drive. Frames are drawn one by one, as they would be while somebody watches."""
    torch.set_num_threads(threads)
    person, figure, driven = Subject.load(subject), Avatar.load(avatar), Motion.load(motion)
    encoder, samples = features.load(model, speech_config), read_audio(audio)
    name = features.revision(model, speech_config)
    audio_ms = timed(lambda: features.speech_of(samples, encoder, speech_config, name, audio.parent.name))

    network = grmn.load(figure.network, figure.architecture["network"])
    frames, lag = np.array(driven.frames), read_json(sync, "offset_frames")["offset_frames"]
    units, feature, cut = ActionUnits.load(action_units), Identity.load(identity), network.architecture.windows
    cue = cues.gather(Speech.load(speech), frames, lag, units, frames, feature, cut)
    codes = Codes.from_motion(driven)
    motion_ms = timed(lambda: driving.network_codes(network, codes, cue)) / len(frames)

    deformer = deformer_of(models.load(head), person, figure)
    renderer = backends.load(config.backend, threads, antialiased(figure))
    camera = Camera.from_dict(person.camera).resized(config.size_px, config.size_px)
    render_ms = timed_frames(lambda frame: renderer.render(deformer(codes[frame : frame + 1]), camera), len(codes))
    write_json(
        out,
        {
            "audio_ms": audio_ms,
            "motion_ms": motion_ms,
            "render_ms": render_ms,
            "fps": 1000 / (motion_ms + render_ms),
            "peak_vram_mb": torch.cuda.max_memory_allocated() / 1e6 if torch.cuda.is_available() else None,
            "frames": len(frames),
            "size_px": config.size_px,
            "renderer": renderer.name,
            "threads": threads,
        },
    )


def timed(work: Callable[[], object]) -> float:
    """Milliseconds of the second of two runs: what is compiled or read once is not the sequence's."""
    work()
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


@torch.inference_mode()
def timed_frames(draw: Callable[[int], object], count: int) -> float:
    """Mean milliseconds of up to `TIMED` frames of `count`, behind the warm-up."""
    for frame in range(min(WARM_UP, count)):
        draw(frame)
    shown = range(min(TIMED, count))
    start = time.perf_counter()
    for frame in shown:
        draw(frame)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return 1000 * (time.perf_counter() - start) / len(shown)


if __name__ == "__main__":
    stage.main(run)
