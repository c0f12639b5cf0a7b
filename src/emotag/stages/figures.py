"""Figures of one drive: methods in a strip, the teacher's guidance, the gate, and the way from clip to avatar.

Reads: truth.mp4 and every video to compare, the avatar's Motion, and of the clip: crop, labels, overlay, emotion, speech,
sync and action units. Writes: one PNG and one PDF a figure.
"""

from pathlib import Path

import numpy as np

from emotag import stage
from emotag.artifacts import ActionUnits, Emotion, Motion, Speech
from emotag.io.artifact import read_json
from emotag.io.video import probe, read_frames, read_gray
from emotag.parts import spread
from emotag.report import plots, strips
from emotag.report.study import named
from emotag.tracking.regions import LABELS
from emotag.types import FPS, NEUTRAL, TOKEN_RATE_HZ

SIZE = 256
MOMENTS = 6
FACES = 5


def run(
    *,
    truth: Path,
    videos: list[Path],
    motion: Path,
    crop: Path,
    labels: Path,
    overlay: Path,
    emotion: Path,
    speech: Path,
    sync: Path,
    action_units: Path,
    out_strip: list[Path],
    out_guidance: list[Path],
    out_teacher: list[Path],
    out_gate: list[Path],
    out_pipeline: list[Path],
) -> None:
    """Draw the figures. The first of `videos` is the avatar's."""
    driven = Motion.load(motion)
    frames = np.array(driven.frames)
    times = frames / FPS
    gates = channel(driven, "gate")[:, 0]
    judged = Emotion.load(emotion).probabilities[frames]
    loudness = energy(Speech.load(speech), times, float(read_json(sync, "offset_frames")["offset_frames"]))

    chosen = spread(len(frames), MOMENTS)
    rows = {clip.method: list(read_frames(clip.path, size=SIZE, only=chosen)) for clip in named([truth, *videos])}
    plots.save(strips.strip(rows, times[chosen]), *out_strip)

    plots.save(strips.guidance(rows["ground_truth"], times[chosen], times, judged, gates), *out_guidance)
    # From the calmest to the most expressive face.
    ranked = np.argsort(judged[:, NEUTRAL], kind="stable")[::-1][spread(len(frames), FACES)]
    faces = {int(k): frame for k, frame in zip(sorted(ranked), read_frames(truth, size=SIZE, only=ranked), strict=True)}
    plots.save(strips.teacher([faces[int(k)] for k in ranked], judged[ranked], gates[ranked]), *out_teacher)
    plots.save(plots.gate(times, loudness, judged[:, NEUTRAL] * -1 + 1, gates), *out_gate)

    moment = chosen[len(chosen) // 2]
    pictures = {
        "crop": one(crop, frames[moment]),
        "regions": coloured(next(read_gray(labels, frames[moment], frames[moment] + 1))),
        "tracked head": one(overlay, min(frames[moment], probe(overlay).frames - 1)),
        "avatar": one(videos[0], moment),
    }
    units = ActionUnits.load(action_units).intensity[frames]
    plots.save(strips.pipeline(pictures, loudness, units, channel(driven, "expression"), gates), *out_pipeline)


def channel(driven: Motion, name: str) -> np.ndarray:
    """Columns of the driving codes by name, [T, C]."""
    start, stop = driven.layout[name]
    return driven.codes[:, start:stop]


def energy(speech: Speech, times_s: np.ndarray, offset_frames: float) -> np.ndarray:
    """Energy [T] dB of the sound heard at video times; tokens stand for the middle of their 20 ms."""
    middles = (np.arange(len(speech.energy)) + 0.5) / TOKEN_RATE_HZ
    return np.interp(times_s - offset_frames / FPS, middles, speech.energy)


def one(path: Path, index: int) -> np.ndarray:
    """One frame [H, W, 3] uint8."""
    return next(read_frames(path, int(index), int(index) + 1, size=SIZE * 2))


def coloured(regions: np.ndarray) -> np.ndarray:
    """Region labels [H, W] as a picture [H, W, 3] uint8, the background white."""
    table = np.full((256, 3), 255, np.uint8)
    for number in range(1, len(LABELS)):
        text = plots.COLOURS[(number - 1) % len(plots.COLOURS)]
        table[number] = [int(text[k : k + 2], 16) for k in (1, 3, 5)]
    return table[regions]


if __name__ == "__main__":
    stage.main(run)
