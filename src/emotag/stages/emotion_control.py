"""What an avatar shows when an emotion is set, and when it is heard: a table and a contact sheet.

Reads: head, Subject, Avatar, Identity, refined Tracks and ActionUnits of the clip adapted on, its plate, the speech model, one
text read in every mood at every level (data/moods), and the emotion scorer's files. Writes: a CSV and a PNG. Rendered are the
neutral reading with each emotion set at levels 1 to 3, each emotional reading with what is heard against the neutral one, and
those of level 3 once more without prosody. Action units and classes are those of the rendered frames, lips those of the
posed head.
"""

import io
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from emotag import stage
from emotag.artifacts import ActionUnits, Avatar, Identity, Speech, Subject, Tracks
from emotag.audio import speech as provider
from emotag.config import RenderConfig, SpeechConfig
from emotag.emotion import face_api
from emotag.gaussians.restore import antialiased, deformer_of
from emotag.geometry.camera import Camera
from emotag.head import models
from emotag.io.artifact import write_atomic
from emotag.io.sheets import contact_sheet, write_png
from emotag.io.video import resize
from emotag.metrics.detected import detect
from emotag.metrics.shown_emotion import Shown, compared
from emotag.moods import MoodConfig
from emotag.motion import channels, cues, driving, grmn, heard, lip_space, timeline
from emotag.motion.codes import Codes
from emotag.parts import ping_pong
from emotag.render import backends
from emotag.stages.render import draw, plate_frames
from emotag.synthetic import takes as shipped
from emotag.synthetic.takes import LEVELS, Take
from emotag.tracking.action_units import fitted_action_units
from emotag.types import EMOTIONS, FPS, NEUTRAL

log = logging.getLogger(__name__)

# Every eighth frame is drawn and looked at; lips are those of the posed head in every frame.
EVERY = 8
TILE_PX = 240
ITERATIONS = 10


@dataclass(frozen=True)
class Stage:
    """The avatar and all that a performance of it needs."""

    model: object
    person: Subject
    network: grmn.GatedResidualMotionNetwork
    deformer: object
    renderer: object
    camera: Camera
    tracks: Tracks
    units: ActionUnits
    feature: Identity
    plate: Path
    config: RenderConfig
    scorer: face_api.Weights


def run(
    *, head: Path, subject: Path, avatar: Path, identity: Path, tracks: Path, action_units: Path, plate: Path, model: Path,
    takes: Path, scorer: Path, scorer_manifest: Path, out: Path, out_sheet: Path, config: RenderConfig,
    speech_config: SpeechConfig, threads: int = 1,
) -> None:  # fmt: skip
    """Render, measure and compare; `takes` is the JSON of the readings."""
    torch.set_num_threads(threads)
    person, figure, body = Subject.load(subject), Avatar.load(avatar), models.load(head)
    actor = Stage(
        model=body,
        person=person,
        network=grmn.load(figure.network, figure.architecture["network"]),
        deformer=deformer_of(body, person, figure),
        renderer=backends.load(config.backend, threads, antialiased(figure)),
        camera=Camera.from_dict(person.camera).resized(config.size_px, config.size_px),
        tracks=Tracks.load(tracks),
        units=ActionUnits.load(action_units),
        feature=Identity.load(identity),
        plate=plate,
        config=config,
        scorer=face_api.load(scorer, scorer_manifest),
    )
    read = {(take.emotion, take.level): take for take in shipped.load(takes)}
    encoder, revision = provider.load(model, speech_config), provider.revision(model, speech_config)
    spoken = {
        key: provider.speech_of(take.voice.audio, encoder, speech_config, revision, take.voice.name)
        for key, take in read.items()
    }
    calm, names = read["neutral", 0], body.action_unit_names
    prosody_of_calm = cues.prosody_of(spoken["neutral", 0])

    def listened(take: Take, said: Speech) -> torch.Tensor:
        return heard.course(cues.prosody_of(said), prosody_of_calm, frames_of(take))

    reference = perform(actor, calm, spoken["neutral", 0], listened(calm, spoken["neutral", 0]))
    rows, pictures = [compared("speech", "neutral", 0, "used", reference, reference, names)], {}
    for control, prosody, label, level in performances():
        take = calm if control == "set" else read[label, level]
        said = spoken[take.emotion, take.level]
        said = without_prosody(said) if prosody == "none" else said
        chosen = [MoodConfig(label=label, level=level)] if control == "set" else []
        mood = timeline.strengths(chosen, frames_of(take)) if chosen else listened(take, said)
        shown = perform(actor, take, said, mood)
        rows.append(compared(control, label, level, prosody, reference, shown, names))
        pictures[label, control, prosody, level] = shown
        log.info("%s", rows[-1])
    buffer = io.StringIO()
    pd.DataFrame(rows).to_csv(buffer, index=False, float_format="%.3f")
    write_atomic(out, buffer.getvalue().encode())
    write_png(out_sheet, sheet(reference, pictures))


def performances() -> list[tuple[str, str, str, int]]:
    """(control, prosody, label, level): every emotion set, every emotion heard, and the strongest heard without prosody."""
    labels, levels = [name for name in EMOTIONS if name != EMOTIONS[NEUTRAL]], range(1, LEVELS + 1)
    each = [(label, level) for label in labels for level in levels]
    return [
        *(("set", "neutral reading", label, level) for label, level in each),
        *(("speech", "used", label, level) for label, level in each),
        *(("speech", "none", label, LEVELS) for label in labels),
    ]


def frames_of(take: Take) -> int:
    """How many frames a reading has."""
    return int(take.voice.phones[-1][1] * FPS)


def perform(actor: Stage, take: Take, spoken: Speech, mood: torch.Tensor) -> Shown:
    """Drive the avatar with a reading and the strengths [T, 7] of a mood that is set or heard, draw it and look at it."""
    length = frames_of(take)
    part = (actor.person.part[0], actor.person.part[1])
    frames, width = ping_pong(*part, length), actor.network.architecture.width
    pose = Codes.from_tracks(actor.tracks, frames, width)
    material = driving.Material(
        pose=pose,
        cues=cues.source(spoken, np.arange(length), 0.0, actor.units, frames, actor.feature),
        adapted=pose,
        adapted_cues=cues.gather(spoken, np.arange(1), 0.0, actor.units, frames[:1], actor.feature),
        lower=torch.from_numpy(~channels.upper_face([*actor.tracks.expression_names, *channels.JAW_NAMES])),
        borrowed=True,
        mood=mood,
    )
    drawn = np.arange(0, length, EVERY)
    every = driving.avatar(actor.network, material)
    codes = every[torch.from_numpy(drawn)]
    plates = plate_frames(actor.config, actor.plate, [int(frame) for frame in frames[drawn]])
    pictures = list(draw(actor.deformer, actor.renderer, actor.camera, codes, plates))
    detected = detect(pictures)
    points = detected.at_width(actor.person.camera["width"])
    return Shown(
        drawn_s=drawn / FPS,
        phones=np.array([end for _, end, _ in take.voice.phones]),
        action_units=fitted_action_units(actor.model, actor.person, points, ITERATIONS),
        aperture=lip_space.measures(
            actor.model, actor.person.shape, actor.person.landmark_offsets, driving.motion_of(every).numpy()
        )[:, 0],
        classes=face_api.probabilities(actor.scorer, pictures, detected.points),
        gate=float(codes.gate.mean()),
        pictures=[face_tile(picture, detected.points) for picture in pictures],
    )


def face_tile(picture: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The square about the face in all frames `points` [T, 478, 3] px, as a tile [TILE_PX, TILE_PX, 3]."""
    low, high = points[..., :2].min((0, 1)), points[..., :2].max((0, 1))
    half = round(0.62 * float((high - low).max()))
    x, y = (
        int(np.clip(round(c), half, size - half))
        for c, size in zip((low + high) / 2, picture.shape[1::-1], strict=True)
    )
    return resize(np.ascontiguousarray(picture[y - half : y + half, x - half : x + half]), TILE_PX, TILE_PX)


def without_prosody(spoken: Speech) -> Speech:
    """The same speech as `speech.prosody: none` gives it."""
    nothing = provider.prosody.silent(len(spoken.features))
    return Speech(spoken.features, nothing.log_f0, nothing.voiced, nothing.energy, spoken.provider, spoken.revision)


def sheet(reference: Shown, pictures: dict[tuple[str, str, str, int], Shown]) -> np.ndarray:
    """A row a class: neutral, the emotion set at three levels, the emotion heard at three levels, at one moment of the text."""
    open_lips = reference.aperture[::EVERY]
    moment = int(np.argsort(open_lips)[int(0.8 * len(open_lips))])
    cells, labels = [], []
    for label in dict.fromkeys(key[0] for key in pictures):
        cells.append(reference.pictures[moment])
        labels.append("neutral")
        for control, prosody in (("set", "neutral reading"), ("speech", "used")):
            for level in range(1, LEVELS + 1):
                shown = pictures[label, control, prosody, level]
                at = np.abs(shown.drawn_s - shown.clock(reference, reference.drawn_s[moment])).argmin()
                cells.append(shown.pictures[int(at)])
                labels.append(f"{label} {level}, {'set' if control == 'set' else 'heard'}")
    return contact_sheet(cells, 1 + 2 * LEVELS, labels)


if __name__ == "__main__":
    stage.main(run)
