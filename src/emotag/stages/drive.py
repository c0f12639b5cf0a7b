"""Driving codes of an avatar, and of the baselines it is compared with.

Reads: Avatar, Subject, Identity; of the adaptation clip: Tracks, ActionUnits, Speech, sync.json; of the clip that gives
pose and upper-face cues (the test clip, or the adaptation clip when another voice speaks): Tracks, ActionUnits, sync.json; the
driving Speech, and that of a calm recording of the same voice where emotion is to be heard. Writes: a Motion a variant.
"""

import logging
from pathlib import Path

import numpy as np
import torch

from emotag import stage
from emotag.artifacts import ActionUnits, Avatar, Identity, Speech, Subject, Tracks
from emotag.config import ExcerptConfig
from emotag.errors import ConfigError
from emotag.io.artifact import read_json
from emotag.moods import MoodsConfig
from emotag.motion import channels, cues, driving, grmn, heard, timeline
from emotag.motion.codes import Codes
from emotag.parts import excerpt, ping_pong
from emotag.types import EMOTIONS, FPS, NEUTRAL, TOKEN_RATE_HZ

log = logging.getLogger(__name__)


def run(
    *,
    avatar: Path,
    subject: Path,
    identity: Path,
    adapt_tracks: Path,
    adapt_action_units: Path,
    adapt_speech: Path,
    adapt_sync: Path,
    tracks: Path,
    action_units: Path,
    sync: Path,
    speech: Path,
    calm: list[Path],
    clip: str,
    self_driven: bool,
    part: ExcerptConfig,
    emotion: MoodsConfig,
    variants: list[str],
    out: list[Path],
    threads: int = 1,
) -> None:
    """`out`: one file for each of `variants`. `self_driven`: `speech` is that of `clip`'s own test `part`; else it is another
    voice, heard from its start. `emotion`: what the face shows, where it is set; where not, it is heard against `calm` (none or
    one file)."""
    torch.set_num_threads(threads)
    unknown = [variant for variant in variants if variant not in driving.VARIANTS]
    if unknown or len(variants) != len(out):
        raise ConfigError(
            f"variants: found {', '.join(variants)} for {len(out)} files, expected one a file of "
            f"{', '.join(driving.VARIANTS)}; correct the call"
        )
    person, figure, feature = Subject.load(subject), Avatar.load(avatar), Identity.load(identity)
    network = grmn.load(figure.network, figure.architecture["network"])
    # Speech is read as its windows are cut: it may be hours.
    own, spoken, shown = Speech.open(adapt_speech), Speech.open(speech), Tracks.load(tracks)
    adapted_part = (person.part[0], person.part[1])
    offset = read_json(sync, "offset_frames")["offset_frames"]
    if self_driven:
        frames = np.arange(*excerpt(len(shown.expression), adapted_part, clip == person.clip, part))
        sound, lag, audio_start_s = frames, offset, (frames[0] - offset) / FPS
    else:
        length = int(len(spoken.features) / TOKEN_RATE_HZ * FPS)
        frames, sound, lag, audio_start_s = ping_pong(*adapted_part, length), np.arange(length), 0.0, 0.0
    mood = timeline.strengths(emotion.timeline, len(frames))
    if mood is None and not self_driven:
        mood = listened(network, spoken, calm, len(frames))
    adapted_frames = np.arange(*adapted_part)
    adapted_units = ActionUnits.load(adapt_action_units)
    adapted_lag = read_json(adapt_sync, "offset_frames")["offset_frames"]
    width, cut = network.architecture.width, network.architecture.windows
    material = driving.Material(
        pose=Codes.from_tracks(shown, frames, width),
        cues=cues.source(spoken, sound, lag, ActionUnits.load(action_units), frames, feature, cut),
        adapted=Codes.from_tracks(Tracks.load(adapt_tracks), adapted_frames, width),
        adapted_cues=cues.gather(own, adapted_frames, adapted_lag, adapted_units, adapted_frames, feature, cut),
        lower=torch.from_numpy(~channels.upper_face(figure.motion_names)),
        borrowed=not self_driven,
        mood=mood,
    )
    for variant, path in zip(variants, out, strict=True):
        codes = driving.VARIANTS[variant](network, material)
        codes.to_motion(variant, frames, audio_start_s).save(path, stage.provenance())


def listened(
    network: grmn.GatedResidualMotionNetwork, spoken: Speech, calm: list[Path], frames: int
) -> torch.Tensor | None:
    """Strengths [T, 7] of the emotion that is heard in `spoken`; None where there is nothing to compare it with. A network
    without prosody hears none."""
    if not calm:
        log.info("emotion is not heard: no calm recording of this voice is named (adapt.drive.calm)")
        return None
    if network.architecture.prosody == "none":
        log.info("emotion is not heard: the network was trained without prosody (pretrain.prosody)")
        return torch.zeros(frames, len(EMOTIONS))
    prosody = cues.prosody_of(spoken)
    if not prosody[:, 1].any():
        log.info("emotion is not heard: there is no voice in this speech (silence, or speech.prosody: none)")
        return torch.zeros(frames, len(EMOTIONS))
    found = heard.course(prosody, cues.prosody_of(Speech.open(calm[0])), frames)
    means = zip(EMOTIONS, found.mean(0).tolist(), strict=True)
    log.info("emotion heard, mean strengths: %s", ", ".join(f"{n} {m:.2f}" for n, m in means if n != EMOTIONS[NEUTRAL]))
    return found


if __name__ == "__main__":
    stage.main(run)
