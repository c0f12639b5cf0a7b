"""One clip of the synthetic corpus: an ordinary video, and everything that is exactly known of it.

Reads: the head and the takes of its speaker. Writes: mp4 (H.264 + AAC, labelled as synthetic), the true motion
as Tracks, a `Truth` (action units, emotion, phones, depth and normals at a reduced rate) and region labels of every frame
(FFV1).
"""

import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from emotag import stage
from emotag.artifacts import Truth
from emotag.config import SyntheticClipConfig
from emotag.head import models
from emotag.io.video import write_gray, write_video
from emotag.synthetic import exact, movement, takes
from emotag.synthetic.augmentation import with_noise
from emotag.synthetic.casting import Role, cast
from emotag.synthetic.expressions import acted
from emotag.synthetic.figure import Drawing, Figure, backdrop, views
from emotag.synthetic.sensor import exposed
from emotag.synthetic.talker import perform
from emotag.types import FPS

log = logging.getLogger(__name__)


def run(
    *, head: Path, speech: Path, identity: int, clip: int, out: Path, tracks: Path, truth: Path, labels: Path,
    config: SyntheticClipConfig,
) -> None:  # fmt: skip
    """Draw clip number `clip` of identity number `identity` (both from 1)."""
    model = models.load(head)
    role = cast(identity - 1, clip - 1, config.seed, takes.load(speech), model.shape_size, config.size_px)
    voice = takes.fitted(role.take.voice, config.seconds)
    frames = round(config.seconds * FPS)
    course = acted(role.take.emotion, role.take.level, movement.loudness(voice.audio, frames))
    shown = perform(model, role.person, voice, course, role.camera, role.place)
    figure = Figure(model, role.person.shape, role.look, role.person.seed, role.light)
    of_face = exact.face_labels(model, figure)
    seen, depths, normals = [], [], []

    def pictures() -> Iterator[np.ndarray]:
        behind, noise = backdrop(role.camera, role.look, role.seed), np.random.default_rng([role.seed, 1])
        for index, drawing in enumerate(views(model, figure, shown.tracks)):
            seen.append(exact.labels(drawing, of_face))
            if index % config.geometry_every == 0:
                keep(drawing)
            yield exposed(figure.light_up(drawing, role.camera, behind), role.sensor, noise)

    def keep(drawing: Drawing) -> None:
        depth, normal = exact.geometry(drawing, figure.faces, config.geometry_px)
        depths.append(depth)
        normals.append(normal)

    sound = with_noise(voice.audio, role.snr_db, np.random.default_rng([role.seed, 2]))
    comment = "synthetic: made by emotag, nobody is shown"
    write_video(out, pictures(), fps=FPS, crf=config.crf, audio=sound.astype(np.float32), comment=comment)
    write_gray(labels, seen, fps=FPS)
    shown.tracks.save(tracks, stage.provenance())
    units = model.action_units(torch.from_numpy(shown.tracks.expression), torch.from_numpy(shown.tracks.jaw))
    Truth(
        action_units=units.numpy(),
        action_unit_names=list(model.action_unit_names),
        emotion_course=course.astype(np.float32),
        lips=shown.lips,
        phone_times=np.array([phone[:2] for phone in voice.phones], np.float32),
        phones=[phone[2] for phone in voice.phones],
        depth=np.stack(depths),
        normal=np.stack(normals),
        geometry_frames=list(range(0, frames, config.geometry_every)),
        **facts(role),
    ).save(truth, stage.provenance())
    log.info("%s: %d frames, %s at level %d", voice.name, frames, role.take.emotion, role.take.level)


def facts(role: Role) -> dict[str, str | int]:
    """Who says what, and how."""
    take = role.take
    said = {"voice": take.speaker, "text": take.voice.text, "language": take.language}
    return {"person": role.person.name, **said, "emotion": take.emotion, "level": take.level}


if __name__ == "__main__":
    stage.main(run)
