"""Real clips of the pipeline's folders as material of the prior's measurement, and the scores of a motion on them.

Judged are landmarks of the posed head mesh against the detected ones: nothing is drawn. The offset of sound and picture is
the adaptation part's; as clips may drift (one of 71 s does, by 0.75 frames), a motion can be judged at the test's own, too.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from emotag.artifacts import ActionUnits, Corpus, Identity, Landmarks, LipRidge, Speech, Subject, Tracks
from emotag.geometry.camera import Camera
from emotag.head.arkit import ArkitHead
from emotag.head.landmark_sets import IBUG_68
from emotag.io.artifact import read_json
from emotag.metrics.action_units import action_unit_error
from emotag.metrics.face import LOWER, UPPER
from emotag.metrics.lips import correlation, lip_distance
from emotag.motion import channels, cues
from emotag.motion.ridge import Ridge
from emotag.stages.corpus_clips import columns_of
from emotag.tracking import sync
from emotag.tracking.lip_measures import lip_measures
from emotag.types import FPS

SIZE_PX, CHUNK, MOST = 512, 100, 500
LIPS = list(IBUG_68[48:])


class Footage:
    """One tracked clip of results in the pipeline's folders, of a person adapted on it."""

    def __init__(self, results: Path, clip: str, model: ArkitHead) -> None:
        own, shared = results / "identities" / clip, results / "clips" / clip
        self.name, self.model, self.small = clip, model, model.for_landmarks()
        self.subject = Subject.load(own / "subject.safetensors")
        self.identity = Identity.load(own / "identity.safetensors")
        self.tracks = Tracks.load(own / clip / "tracks.safetensors")
        self.units = ActionUnits.load(own / clip / "action_units.safetensors")
        found = read_json(own / clip / "sync.json", "offset_frames", "lead_frames")
        self.offset, self.lead = found["offset_frames"], found["lead_frames"]
        self.speech = Speech.load(shared / "speech.safetensors")
        mesh = Landmarks.load(shared / "landmarks.safetensors")
        self.motion = np.concatenate([self.tracks.expression, self.tracks.jaw], 1)
        self.part = np.arange(*self.subject.part)
        self.test = np.arange(self.part[-1] + 1, len(self.motion))[-MOST:]
        self.seen = mesh.points[self.test] * SIZE_PX / mesh.width
        self.upper = channels.upper_face(channels.motion_names(self.tracks.expression_names))
        self.lip_ridge = Ridge.from_arrays(LipRidge.load(results / "prior" / "lips.safetensors").ridge)
        self.detected = ~mesh.interpolated[self.test]

    def cues(self, frames: np.ndarray, offset: float | None = None) -> cues.Cues:
        """What drives the network in `frames` [T]; `offset` [frames] of the video is the adaptation part's if None."""
        late = self.offset if offset is None else offset
        return cues.gather(self.speech, frames, late, self.units, frames, self.identity)

    @cached_property
    def test_offset(self) -> float:
        """By how many frames the video of the test is late, found as for the part; the part's where it cannot be told."""
        lips, frames = lip_measures(self.seen)[self.detected], self.test[self.detected]
        found = sync.estimate(self.lip_ridge, self.speech.features, lips, frames)
        return found.frames + self.lead if found.told else self.offset

    def posed(self, motion: np.ndarray) -> np.ndarray:
        """Landmarks [T, 478, 3] px of the test frames' heads with another `motion` [T, C]."""
        camera = Camera.from_dict(self.subject.camera).resized(SIZE_PX, SIZE_PX)
        count, found = motion.shape[1] - 3, []
        offsets = torch.from_numpy(self.subject.landmark_offsets)
        for start in range(0, len(motion), CHUNK):
            frames = self.test[start : start + CHUNK]
            moving = torch.from_numpy(np.asarray(motion[start : start + CHUNK], np.float32))
            names = ("neck", "eyes", "rotation", "translation")
            neck, eyes, rotation, translation = (torch.from_numpy(getattr(self.tracks, n)[frames]) for n in names)
            shape = torch.from_numpy(self.subject.shape).expand(len(frames), -1)
            with torch.inference_mode():
                expression = moving[:, :count].clamp(0, 1)
                vertices = self.small.vertices(shape, expression, moving[:, count:], neck, eyes, rotation, translation)
                points = self.small.landmarks(vertices, offsets, rotation)
                depth = -points[..., 2:]
                away = (depth - depth.mean(1, keepdim=True)) * camera.fx / depth.mean(1, keepdim=True)
                found.append(torch.cat([camera.project(points), away], -1).numpy())
        return np.concatenate(found)

    @cached_property
    def bound(self) -> np.ndarray:
        """Landmarks [T, 478, 3] px of the tracked motion: what the tracker allows."""
        return self.posed(self.motion[self.test])

    @cached_property
    def still(self) -> np.ndarray:
        """The same with the part's mean lower face."""
        return self.posed(np.where(self.upper, self.motion[self.test], self.motion[self.part].mean(0)))

    def intensities(self, motion: np.ndarray) -> np.ndarray:
        """Action units [T, A] 0 to 5 of a motion [T, C]."""
        moving = torch.from_numpy(np.asarray(motion, np.float32))
        return self.model.action_units(moving[:, :-3].clamp(0, 1), moving[:, -3:]).numpy()


def scores(clip: Footage, motion: np.ndarray) -> dict[str, float]:
    """Of one motion [T, C] of the test frames."""
    true, points = clip.motion[clip.test], clip.posed(motion)
    seen, lips, ceiling = (lip_measures(p) for p in (clip.seen, points, clip.bound))
    names = list(clip.model.action_unit_names)
    units, true_units = clip.intensities(motion), clip.intensities(true)
    found = {
        "test_seconds": len(clip.test) / FPS,
        "lip_aperture_corr": correlation(seen[:, 0], lips[:, 0]),
        "lip_width_corr": correlation(seen[:, 1], lips[:, 1]),
        "lip_aperture_gain": lips[:, 0].std() / seen[:, 0].std(),
        "lmd_px512": lip_distance(clip.seen[:, LIPS, :2], points[:, LIPS, :2]),
        "frozen_lmd_px512": lip_distance(clip.seen[:, LIPS, :2], clip.still[:, LIPS, :2]),
        "ceiling_corr": correlation(seen[:, 0], ceiling[:, 0]),
        "aue_l": action_unit_error(names, true_units, units, LOWER),
        "aue_u": action_unit_error(names, true_units, units, UPPER),
    }
    return {name: round(float(value), 4) for name, value in found.items()}


def corpus_of(results: Path, people: Mapping[str, str]) -> Corpus:
    """All clips of `people` {clip: person} as material of a prior, of nobody left out."""
    columns: dict[str, dict[str, np.ndarray]] = {}
    offsets, tracked = {}, None
    for clip in people:
        own, shared = results / "identities" / clip, results / "clips" / clip
        tracked, arrays, offsets[clip] = columns_of(
            own / clip / "tracks.safetensors",
            own / clip / "action_units.safetensors",
            shared / "emotion.safetensors",
            own / "identity.safetensors",
            shared / "speech.safetensors",
            own / clip / "sync.json",
        )
        for name, array in arrays.items():
            columns.setdefault(name, {})[clip] = array
    names = channels.motion_names(tracked.expression_names)
    return Corpus(tracked.head_model, names, **columns, people=dict(people), offset_frames=offsets, provider="clips")
