"""The typed artifacts that pass between stages (design: the way of the data).

All per-frame arrays are on the clip's 25 fps video clock. Speech is at 50 Hz on the audio clock; `Sync` says how the two
clocks are related, and `emotag.audio.windows` samples speech at the video's times, so nothing is resampled twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from emotag.io.artifact import Artifact
from emotag.io.tensors import StoredArray

Array = np.ndarray | StoredArray


@dataclass(frozen=True)
class Landmarks(Artifact):
    """MediaPipe face mesh on the crop: `points` [T, 478, 3] px (z in px, smaller is nearer), `confidence` [T] 0 to 1,
    `interpolated` [T] bool (no face was found; the points are interpolated), and the crop's size."""

    KIND: ClassVar[str] = "landmarks"
    SHAPES: ClassVar[dict] = {"points": ("T", 478, 3), "confidence": ("T",), "interpolated": ("T",)}
    points: np.ndarray
    confidence: np.ndarray
    interpolated: np.ndarray
    width: int
    height: int


@dataclass(frozen=True)
class Subject(Artifact):
    """What is frozen for one person, fitted on the adaptation part alone.

    `shape` [S]; `camera` {fx, fy, cx, cy, width, height} px; `landmark_offsets` [478, 3] m in the head's frame (this
    person's own, on top of the embedding's); `neutral_expression` [E] and `neutral_jaw` [3]: the zero point of the action
    units; `vertex_colours` [V, 3] 0 to 1 (grey where never seen); `part` [start, stop) frames of `clip`.
    """

    KIND: ClassVar[str] = "subject"
    SHAPES: ClassVar[dict] = {
        "shape": ("S",),
        "landmark_offsets": (478, 3),
        "neutral_jaw": (3,),
        "vertex_colours": ("V", 3),
    }
    head_model: str
    expression_names: list[str]
    shape: np.ndarray
    camera: dict[str, float]
    landmark_offsets: np.ndarray
    neutral_expression: np.ndarray
    neutral_jaw: np.ndarray
    vertex_colours: np.ndarray
    clip: str
    part: list[int]


@dataclass(frozen=True)
class Tracks(Artifact):
    """Tracked head of one clip: `expression` [T, E] 0 to 1, `jaw` [T, 3], `neck` [T, 3], `eyes` [T, 6], `rotation` [T, 3]
    axis-angle rad, `translation` [T, 3] m, `shape` [S], `camera` as in `Subject`, `landmark_error` [T, 478] px,
    `interpolated` [T] bool."""

    KIND: ClassVar[str] = "tracks"
    SHAPES: ClassVar[dict] = {
        "shape": ("S",), "expression": ("T", "E"), "jaw": ("T", 3), "neck": ("T", 3), "eyes": ("T", 6),
        "rotation": ("T", 3), "translation": ("T", 3), "landmark_error": ("T", 478), "interpolated": ("T",),
    }  # fmt: skip
    head_model: str
    expression_names: list[str]
    shape: np.ndarray
    expression: np.ndarray
    jaw: np.ndarray
    neck: np.ndarray
    eyes: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray
    camera: dict[str, float]
    landmark_error: np.ndarray
    interpolated: np.ndarray


@dataclass(frozen=True)
class Truth(Artifact):
    """What is known of a synthetic clip beside its Tracks: `action_units` [T, A] 0 to 5 (`action_unit_names`), class
    intensities `emotion_course` [T, 7] (1: the prototype's units), `lips` [T, 4] wanted measures
    (`emotag.synthetic.visemes`), `phone_times` [P, 2] s with `phones`; `depth` [G, h, w] m (float16, 0 where empty) and
    `normal` [G, h, w, 3] (int8, times 127) at every k-th pixel of the frames `geometry_frames`; who speaks (`person`,
    `voice`, `language`), acted `emotion` and `level` 0 to 3."""

    KIND: ClassVar[str] = "truth"
    SHAPES: ClassVar[dict] = {
        "action_units": ("T", "A"), "emotion_course": ("T", 7), "lips": ("T", 4), "phone_times": ("P", 2),
        "depth": ("G", "h", "w"), "normal": ("G", "h", "w", 3),
    }  # fmt: skip
    action_units: np.ndarray
    action_unit_names: list[str]
    emotion_course: np.ndarray
    lips: np.ndarray
    phone_times: np.ndarray
    phones: list[str]
    depth: np.ndarray
    normal: np.ndarray
    geometry_frames: list[int]
    person: str
    voice: str
    text: str
    language: str
    emotion: str
    level: int


@dataclass(frozen=True)
class ActionUnits(Artifact):
    """`intensity` [T, A] 0 to 5 in the order of `names` (OpenFace's: AU01, AU02, …, AU45)."""

    KIND: ClassVar[str] = "action_units"
    SHAPES: ClassVar[dict] = {"intensity": ("T", "A")}
    names: list[str]
    intensity: np.ndarray
    provider: str


@dataclass(frozen=True)
class Emotion(Artifact):
    """`probabilities` [T, 7] in `emotag.types.EMOTIONS` order; intensity is 1 - p(neutral)."""

    KIND: ClassVar[str] = "emotion"
    SHAPES: ClassVar[dict] = {"probabilities": ("T", 7)}
    probabilities: np.ndarray
    provider: str


@dataclass(frozen=True)
class Identity(Artifact):
    """`embedding` [D]: the mean over `frames` (the top 50 neutral ones) of the identity feature."""

    KIND: ClassVar[str] = "identity"
    embedding: np.ndarray
    frames: list[int]
    provider: str


@dataclass(frozen=True)
class Speech(Artifact):
    """Speech at 50 Hz on the audio clock: `features` [K, D], token k covering the 20 ms that start at k/50 s;
    `log_f0` [K] natural log of Hz (0 where unvoiced), `voiced` [K] 0/1, `energy` [K] dB of the RMS."""

    KIND: ClassVar[str] = "speech"
    SHAPES: ClassVar[dict] = {"features": ("K", "D"), "log_f0": ("K",), "voiced": ("K",), "energy": ("K",)}
    features: np.ndarray
    log_f0: np.ndarray
    voiced: np.ndarray
    energy: np.ndarray
    provider: str
    revision: str


@dataclass(frozen=True)
class LipRidge(Artifact):
    """Linear prior from speech to lip measures, learnt on the synthetic voices: the arrays of `emotag.motion.ridge.Ridge`,
    the `measures` it predicts (without units, zero mean) and the speech features it reads."""

    KIND: ClassVar[str] = "lip_ridge"
    ridge: dict[str, np.ndarray]
    measures: list[str]
    speech_provider: str
    speech_revision: str


@dataclass(frozen=True)
class Articulation(Artifact):
    """Speech to lip measures by a small network: the `arrays` of `emotag.motion.articulation.Articulation` (all but its
    `reach`), the speech features it reads, and how many `readings` from which `seed` it was trained on."""

    KIND: ClassVar[str] = "articulation"
    arrays: dict[str, np.ndarray]
    speech_provider: str
    speech_revision: str
    readings: int
    seed: int


@dataclass(frozen=True)
class PhoneClassifier(Artifact):
    """Phones from speech features: the arrays of `emotag.synthetic.phone_model.PhoneModel` for the phones `names`, and the
    speech features they read."""

    KIND: ClassVar[str] = "phone_classifier"
    arrays: dict[str, np.ndarray]
    names: list[str]
    speech_provider: str
    speech_revision: str


@dataclass(frozen=True)
class Geometry(Artifact):
    """Depth [T, H, W] m (float16), normal [T, H, W, 3] (int8, times 127) and `mask` [T, H, W] bool for the frames
    [`part`[0], `part`[1]), at a stated resolution (skin and neck only: a mesh has no hair)."""

    KIND: ClassVar[str] = "geometry"
    depth: np.ndarray
    normal: np.ndarray
    mask: np.ndarray
    part: list[int]
    provider: str


@dataclass(frozen=True)
class Corpus(Artifact):
    """Motion-space training material of many people, one entry a clip in each mapping (keys are clip names).

    `motion` [T, C] expression units then jaw, `action_units` [T, 6] (emotag.types.UPPER_FACE_AUS, 0 to 5),
    `emotion` [T, 7], `identity` [D], `features` [K, D], `prosody` [K, 3] (log F0, voiced, energy);
    `people` and `offset_frames` by clip name.
    """

    KIND: ClassVar[str] = "corpus"
    head_model: str
    motion_names: list[str]
    motion: Mapping[str, Array]
    action_units: Mapping[str, Array]
    emotion: Mapping[str, Array]
    identity: Mapping[str, Array]
    features: Mapping[str, Array]
    prosody: Mapping[str, Array]
    people: dict[str, str]
    offset_frames: dict[str, float]
    provider: str


@dataclass(frozen=True)
class Prior(Artifact):
    """Weights of the motion network with the statistics of its motion space, and how it did on left-out people; `mouth` holds
    the mouth field's weights without positions (nothing where no rendered phase trained one)."""

    KIND: ClassVar[str] = "prior"
    head_model: str
    motion_names: list[str]
    network: dict[str, np.ndarray]
    architecture: dict[str, Any]
    scores: dict[str, Any]
    people: list[str]
    mouth: dict[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class Avatar(Artifact):
    """Layers of Gaussians with the adapted network. `gaussians` holds one array a parameter (see `emotag.gaussians.cloud`),
    `network` the weights of the motion network, `mouth` those of the mouth field, `trunk` the pose of rest
    (`emotag.gaussians.trunk`)."""

    KIND: ClassVar[str] = "avatar"
    head_model: str
    motion_names: list[str]
    gaussians: dict[str, np.ndarray]
    network: dict[str, np.ndarray]
    mouth: dict[str, np.ndarray]
    trunk: dict[str, np.ndarray]
    architecture: dict[str, Any]
    identity: str
    scope: str
    seed: int


@dataclass(frozen=True)
class Motion(Artifact):
    """Driving codes: `codes` [T, C], columns named by `layout` {name: [start, stop)}: expression, jaw, neck, eyes, rotation,
    translation, gate, emotion, condition. `audio_start_s` says where the driving audio begins at frame 0."""

    KIND: ClassVar[str] = "motion"
    SHAPES: ClassVar[dict] = {"codes": ("T", "C")}
    codes: np.ndarray
    layout: dict[str, list[int]]
    variant: str
    frames: list[int]
    audio_start_s: float
