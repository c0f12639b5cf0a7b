"""Which prior suits people it has not heard: none, the synthetic one, one of the other real people, or both together.

A clip's first five seconds adapt, the rest is judged; the person is left out of the real priors. Judged are the landmarks
of the posed head mesh against the detected ones: nothing is drawn. Priors are ridges, on the synthetic prior's components.
"""

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from emotag.artifacts import ActionUnits, Identity, Landmarks, Prior, Speech, Subject, Tracks
from emotag.geometry.camera import Camera
from emotag.head import models
from emotag.head.landmark_sets import IBUG_68
from emotag.io.artifact import read_json, write_atomic
from emotag.metrics.action_units import action_unit_error
from emotag.metrics.face import LOWER, UPPER
from emotag.metrics.lips import correlation, lip_distance
from emotag.motion import channels, closed_form, cues, grmn, lip_space
from emotag.motion.grmn import GatedResidualMotionNetwork
from emotag.motion.personalise import Strength, doubled, personalise
from emotag.motion.prior import MAX_FRAMES, RIDGE
from emotag.motion.skip import taps
from emotag.tracking.lip_measures import lip_measures

COLUMNS = (
    "clip", "person", "seconds", "prior", "model", "way", "test_seconds", "lip_aperture_corr", "lip_width_corr",
    "lip_aperture_gain", "lmd_px512", "frozen_lmd_px512", "ceiling_corr", "aue_l", "aue_u", "visemes",
)  # fmt: skip
PRIORS = ("none", "synthetic", "real", "both")
# Frames that the prior counts as: gains alone, the default, and as many frames of the corpus as the person's own.
NEVER = 1e12
WAYS = {
    "scale": Strength(map_frames=NEVER, unit_frames=NEVER),
    "map": Strength(),
    "rehearsal": Strength(map_frames=125.0),
}
SIZE_PX, CHUNK, MOST = 512, 100, 500
LIPS = list(IBUG_68[48:])


@dataclass(frozen=True)
class Moments:
    """Weighted sums over a person's centred frames: of taps by taps, of taps by standardised motion, and of weights."""

    inputs: np.ndarray
    targets: np.ndarray
    weight: float

    @classmethod
    def of(cls, x: np.ndarray, y: np.ndarray) -> "Moments":
        """From taps [T, K] and motion [T, C]; no clip counts for more than ten seconds."""
        weight = min(1.0, MAX_FRAMES / len(x))
        x, y = x - x.mean(0), y - y.mean(0)
        return cls(weight * x.T @ x, weight * x.T @ y, weight * len(x))

    def __add__(self, other: "Moments") -> "Moments":
        return Moments(self.inputs + other.inputs, self.targets + other.targets, self.weight + other.weight)

    def ridge(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights [K, C], and the moment [K, K] that a person's frames are weighed against."""
        outer = closed_form.strengthened(self.inputs / self.weight, RIDGE)
        return np.linalg.solve(outer, self.targets / self.weight), outer


class Footage:
    """One tracked clip of results in the pipeline's folders, of a person adapted on it."""

    def __init__(self, results: Path, clip: str, model) -> None:
        own, shared = results / "identities" / clip, results / "clips" / clip
        self.model, self.small = model, model.for_landmarks()
        self.subject = Subject.load(own / "subject.safetensors")
        self.identity = Identity.load(own / "identity.safetensors")
        self.tracks = Tracks.load(own / clip / "tracks.safetensors")
        self.units = ActionUnits.load(own / clip / "action_units.safetensors")
        self.offset = read_json(own / clip / "sync.json", "offset_frames")["offset_frames"]
        self.speech = Speech.load(shared / "speech.safetensors")
        mesh = Landmarks.load(shared / "landmarks.safetensors")
        self.motion = np.concatenate([self.tracks.expression, self.tracks.jaw], 1)
        self.part = np.arange(*self.subject.part)
        self.test = np.arange(self.part[-1] + 1, len(self.motion))[-MOST:]
        self.seen = mesh.points[self.test] * SIZE_PX / mesh.width

    def cues(self, frames: np.ndarray) -> cues.Cues:
        """What drives the network in `frames` [T]."""
        return cues.gather(self.speech, frames, self.offset, self.units, frames, self.identity)

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

    def intensities(self, motion: np.ndarray) -> np.ndarray:
        """Action units [T, A] 0 to 5 of a motion [T, C]."""
        moving = torch.from_numpy(np.asarray(motion, np.float32))
        return self.model.action_units(moving[:, :-3].clamp(0, 1), moving[:, -3:]).numpy()


def scores(clip: Footage, motion: np.ndarray, upper: np.ndarray) -> dict[str, float]:
    """Of one motion [T, C] of the test frames."""
    true = clip.motion[clip.test]
    frozen = np.where(upper, true, clip.motion[clip.part].mean(0))
    points, still, bound = (clip.posed(shown) for shown in (motion, frozen, true))
    seen, lips, ceiling = (lip_measures(p) for p in (clip.seen, points, bound))
    names = list(clip.model.action_unit_names)
    units, true_units = clip.intensities(motion), clip.intensities(true)
    return {
        "test_seconds": len(clip.test) / 25,
        "lip_aperture_corr": correlation(seen[:, 0], lips[:, 0]),
        "lip_width_corr": correlation(seen[:, 1], lips[:, 1]),
        "lip_aperture_gain": lips[:, 0].std() / seen[:, 0].std(),
        "lmd_px512": lip_distance(clip.seen[:, LIPS, :2], points[:, LIPS, :2]),
        "frozen_lmd_px512": lip_distance(clip.seen[:, LIPS, :2], still[:, LIPS, :2]),
        "ceiling_corr": correlation(seen[:, 0], ceiling[:, 0]),
        "aue_l": action_unit_error(names, true_units, units, LOWER),
        "aue_u": action_unit_error(names, true_units, units, UPPER),
    }


def moments_of(clip: Footage, network: GatedResidualMotionNetwork, frames: np.ndarray, scale: np.ndarray) -> Moments:
    """Of one real clip, its units over the pooled `scale` [C] of the synthetic prior times its own liveliness."""
    motion = clip.motion[frames]
    own = np.sqrt((len(motion) * motion.var(0) + 25 * scale**2) / (len(motion) + 25))
    return Moments.of(components(clip, network, frames), motion / own)


def components(clip: Footage, network: GatedResidualMotionNetwork, frames: np.ndarray) -> np.ndarray:
    """Taps [T, K] of the prior's components around `frames`."""
    driven = clip.cues(frames)
    with torch.inference_mode():
        parts = [taps(network.space.components(driven.speech[i : i + CHUNK])) for i in range(0, len(frames), CHUNK)]
        return torch.cat(parts).double().numpy()


def with_ridge(
    network: GatedResidualMotionNetwork, weights: np.ndarray, moment: np.ndarray, upper: np.ndarray
) -> GatedResidualMotionNetwork:
    """The network with other speech weights [K, C] for the lower face."""
    other = grmn.load(network.arrays(), network.architecture.plain())
    other.skip.speech_weight.copy_(torch.from_numpy(weights * ~upper))
    other.skip.speech_moment.copy_(torch.from_numpy(moment))
    return other


def adapted(clip: Footage, network: GatedResidualMotionNetwork, usual: np.ndarray, way: Strength) -> np.ndarray:
    """Motion [T, C] of the test frames after adaptation on the part."""
    upper, own = channels.upper_face(channels.motion_names(clip.tracks.expression_names)), clip.motion[clip.part]
    driven, subject = clip.cues(clip.part), clip.subject
    arrays = (t.numpy() for t in (driven.speech, driven.prosody, driven.action_units, driven.identity))
    here = lip_space.lip_jacobian(clip.small, subject.shape, subject.landmark_offsets, own.mean(0))
    person = personalise(network, own, *arrays, upper, here, usual, way)
    heard, shown = clip.cues(clip.test), []
    with torch.inference_mode():
        for i in range(0, len(clip.test), CHUNK):
            part = heard[slice(i, i + CHUNK)]
            out = person(part.speech, part.prosody, part.action_units, part.identity)
            shown.append(person.restore(out.motion).numpy())
    return np.concatenate(shown)


def run(
    results: Path,
    head: Path,
    prior: Path,
    people: Mapping[str, str],
    out: Path,
    without: Mapping[str, Path],
    log: Callable[[str], None] = print,
) -> list[dict[str, object]]:
    """Rows of all clips ({clip: person}); those in `out` already are kept, and it is written after every clip.

    `without` {person: prior} are synthetic priors of the same voices whose visemes were fitted without that person.
    """
    torch.set_num_threads(1)
    model, start = models.load(head), Prior.load(prior)
    network = grmn.load(start.network, start.architecture)
    upper, scale = channels.upper_face(start.motion_names), network.statistics().scale
    usual = lip_space.usual_jacobian(model.for_landmarks(), network.statistics().mean)
    rows = list(csv.DictReader(out.read_text().splitlines())) if out.is_file() else []
    real: dict[str, Moments] = {}
    for clip in people:
        footage = Footage(results, clip, model)
        real[clip] = moments_of(footage, network, np.arange(len(footage.motion)), scale)
    for clip, person in people.items():
        if any(row["clip"] == clip for row in rows):
            continue
        footage = Footage(results, clip, model)
        network, synthetic = synthetic_of(without.get(person, prior))
        others = sum_of([real[other] for other in people if people[other] != person])
        own = moments_of(footage, network, footage.part, scale)
        ridges = {"none": own.ridge(), "synthetic": synthetic.ridge(), "real": others.ridge()}
        ridges["both"] = (others + synthetic).ridge()
        for name, (solved, strength) in ridges.items():
            chosen = with_ridge(network, solved, strength, upper)
            for way, how in WAYS.items() if name != "none" else [("scale", WAYS["scale"])]:
                found = scores(footage, adapted(footage, chosen, usual, how), upper)
                seconds = len(footage.motion) / 25
                row = {"clip": clip, "person": person, "seconds": seconds, "prior": name, "model": "ridge", "way": way}
                row["visemes"] = "of others" if person in without else "of all"
                rows.append(row | {key: round(float(value), 4) for key, value in found.items()})
        log(f"{clip}: {[(r['prior'], r['way'], r['lip_aperture_corr']) for r in rows[-10:]]}")
        write_atomic(out, table(rows).encode())
    return rows


def synthetic_of(prior: Path) -> tuple[GatedResidualMotionNetwork, Moments]:
    """The network of a synthetic prior and the sums over its corpus.

    Its moment has the penalty in it, and its talkers count for ten seconds each.
    """
    start = Prior.load(prior)
    network = grmn.load(start.network, start.architecture)
    moment, weights = doubled(network.skip.speech_moment), doubled(network.skip.speech_weight)
    outer = moment - RIDGE / (1 + RIDGE) * np.trace(moment) / len(moment) * np.eye(len(moment))
    count = MAX_FRAMES * len(start.people)
    return network, Moments(count * outer, count * moment @ weights, count)


def sum_of(parts: list[Moments]) -> Moments:
    """Of several clips."""
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def table(rows: list[dict[str, object]]) -> str:
    """The CSV."""
    lines = [",".join(COLUMNS), *(",".join(str(row[name]) for name in COLUMNS) for row in rows)]
    return "\n".join(lines) + "\n"


def means(rows: list[dict[str, object]], least_s: float = 3.0, draws: int = 2000) -> list[str]:
    """Mean and 95 % interval of each prior and way over clips of `least_s` or more of test, drawn with replacement (a clip
    is a block)."""
    rows, lines = [row for row in rows if float(row["test_seconds"]) >= least_s], []
    for prior, way in dict.fromkeys((row["prior"], row["way"]) for row in rows):
        chosen = [row for row in rows if (row["prior"], row["way"]) == (prior, way)]
        columns = {name: np.array([float(row[name]) for row in chosen]) for name in COLUMNS[7:10]}
        columns["lmd_over_frozen"] = np.array([float(r["lmd_px512"]) / float(r["frozen_lmd_px512"]) for r in chosen])
        index = np.random.default_rng(0).integers(len(chosen), size=(draws, len(chosen)))
        spread = {name: np.percentile(values[index].mean(1), [2.5, 97.5]) for name, values in columns.items()}
        said = (f"{n} {v.mean():.3f} [{spread[n][0]:.3f}, {spread[n][1]:.3f}]" for n, v in columns.items())
        lines.append(f"{prior}, {way} ({len(chosen)} clips): " + ", ".join(said))
    return lines
