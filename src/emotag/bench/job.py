"""Frames a second of drawing an avatar and steps a second of training one, at the scale of a preset.

The avatar is a trained one, driven by its own motion; where a preset has more Gaussians than it was trained with (the
laptop's number), each is split into smaller ones. Parts: `draw`, from codes to uint8 frames over a plate; `film`, the same
with encoding; `static` and `joint`, a step of either phase of adaptation, on pictures drawn of the avatar. Speech is noise:
what a step takes does not depend on it. Wall time in turn with one and two threads, medians over rounds; CPU time is that
of one thread.
"""

import logging
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from emotag import methods
from emotag.artifacts import Avatar
from emotag.bench import scenes
from emotag.bench.raster import cells, machine
from emotag.config import AdaptConfig, GeometryConfig
from emotag.gaussians.cloud import GaussianCloud
from emotag.gaussians.deformer import RiggedDeformer, mouth_points
from emotag.io.video import write_video
from emotag.motion import grmn
from emotag.motion.cues import Cues
from emotag.motion.mouth_field import canonical_positions
from emotag.presets import PRESETS
from emotag.render import backends
from emotag.render.base import Renderer
from emotag.render.photometric import Photometric
from emotag.stages.render import draw
from emotag.training import adaptation
from emotag.training.appearance import AdaptedAvatar, Scene, frozen_tokens
from emotag.training.facing import facing_normals
from emotag.training.footage import Footage
from emotag.training.geometry_loss import pooled
from emotag.training.loop import Phase, Run, one_step, optimiser_for
from emotag.types import EMOTIONS, FPS, UPPER_FACE_AUS

log = logging.getLogger(__name__)
FRAMES = 16
THREADS = (1, 2)
WARM_UP = 2
COLUMNS, WIDTH = ("gaussians", "core_ms", "wall_ms_1", "wall_ms_2", "per_second_1", "per_second_2"), 14


def run(presets: Iterable[str], rounds: int, files: scenes.AvatarFiles) -> dict[str, Any]:
    """Measure at the scale of each of `presets`: `{machine, rows}`, a row a preset and part.

    Raises:
        ArtifactMismatch: the files do not belong together.
    """
    rows = []
    logging.getLogger(draw.__module__).setLevel(logging.WARNING)
    for preset in presets:
        config = AdaptConfig(**PRESETS[preset].get("adapt", {}))
        geometry = GeometryConfig(**PRESETS[preset].get("geometry", {}))
        driven = scaled(scenes.driven(files), config)
        for part, (jobs, per_call) in parts(driven, Avatar.load(files.avatar), config, geometry).items():
            log.info("preset %s, %s", preset, part)
            count = len(driven.deformer.cloud)
            rows.append({"preset": preset, "part": part, "gaussians": count} | measure(jobs, per_call, rounds))
    return {"machine": machine(), "rows": rows}


def scaled(driven: scenes.Driven, config: AdaptConfig) -> scenes.Driven:
    """The avatar with as many Gaussians, harmonics and pixels as `config` would train, as if it now had the defaults'."""
    old, arrays = driven.deformer, driven.deformer.cloud.to_arrays()
    count = round(len(old.cloud) * config.gaussians / AdaptConfig().gaussians)
    chosen = np.arange(count) * len(old.cloud) // count
    arrays = {name: values[chosen] for name, values in arrays.items()}
    # Area for area: a split Gaussian's parts lie about its centre and cover as much together.
    random = np.random.default_rng(0).standard_normal(arrays["mean"].shape).astype(np.float32)
    if count != len(old.cloud):
        arrays["mean"] = arrays["mean"] + 0.5 * np.exp(arrays["log_scale"]) * random
        arrays["log_scale"] = arrays["log_scale"] + np.float32(0.5 * math.log(len(old.cloud) / count))
    harmonics = np.zeros((count, (config.sh_degree + 1) ** 2, 3), np.float32)
    kept = min(harmonics.shape[1], arrays["sh"].shape[1])
    harmonics[:, :kept] = arrays["sh"][:, :kept]
    cloud = GaussianCloud.from_arrays({**arrays, "sh": harmonics})
    field = type(old.mouth)(old.mouth.architecture, canonical_positions(mouth_points(old.head, old.shape, cloud)))
    codes = driven.codes[:FRAMES]
    camera = driven.camera.resized(config.size_px, config.size_px)
    return scenes.Driven(RiggedDeformer(old.head, old.shape, cloud, field, old.trunk), codes, camera)


def parts(
    driven: scenes.Driven, avatar: Avatar, config: AdaptConfig, geometry: GeometryConfig
) -> dict[str, tuple[dict[int, Callable[[], None]], int]]:
    """By part: what is called, by number of threads, and how many frames or steps a call is."""
    renderers = {threads: backends.load("cpu", threads, config.antialiased) for threads in THREADS}
    scene = scene_of(driven, avatar, config, geometry)
    model = AdaptedAvatar(
        driven.deformer, grmn.load(avatar.network, avatar.architecture["network"]), len(scene.footage)
    )
    method = methods.load("emotag")
    trained = method.adapt_scopes[method.adapted(config.scope, model.network.acted)]
    tokens = frozen_tokens(model.network, scene.cues, trained)
    found: dict[str, tuple[dict[int, Callable[[], None]], int]] = {
        "draw": ({t: lambda r=r: drawn(driven, r) for t, r in renderers.items()}, len(driven.codes)),
        "film": ({t: lambda r=r: filmed(driven, r, config) for t, r in renderers.items()}, len(driven.codes)),
    }
    for place, name in enumerate(("static", "joint")):
        jobs = {}
        for threads, renderer in renderers.items():
            own = replace(scene, renderer=renderer, photometric=Photometric(threads), tokens=tokens)
            jobs[threads] = training_step(model, adaptation.phases(own, config, trained)[place])
        found[name] = (jobs, 1)
    return found


def scene_of(driven: scenes.Driven, avatar: Avatar, config: AdaptConfig, geometry: GeometryConfig) -> Scene:
    """Pictures, masks and geometry drawn of the avatar itself, with noise for speech."""
    renderer = backends.load("cpu", max(THREADS), config.antialiased)
    codes, size = driven.codes, geometry.size_px
    with torch.no_grad():
        splats = driven.deformer(codes)
        frame = renderer.render(splats, driven.camera, extras=facing_normals(splats))
    depth, normal = pooled(frame.depth[..., None], size, size)[..., 0], pooled(frame.extras, size, size)
    valid = pooled(frame.alpha[..., None], size, size)[..., 0] > 0.9
    footage = Footage(frame.colour.clamp(0, 1), frame.alpha, frame.alpha > 0.5, depth, normal, valid)
    network = avatar.architecture["network"]
    random = torch.Generator().manual_seed(0)
    shapes = ((len(codes), 16, network["features"]), (len(codes), 16, 3), (len(codes), len(UPPER_FACE_AUS)))
    noise = (torch.randn(shape, generator=random) for shape in (*shapes, (network["identity"],)))
    teacher = torch.full((len(codes), len(EMOTIONS)), 1 / len(EMOTIONS))
    return Scene(footage, codes, Cues(*noise), teacher, driven.camera, renderer, Photometric(), config)


def drawn(driven: scenes.Driven, renderer: Renderer) -> list[np.ndarray]:
    """The driven frames over a white plate, as the render stage draws them."""
    plate = np.full((driven.camera.height, driven.camera.width, 3), 255, np.uint8)
    plates = (plate for _ in range(len(driven.codes)))
    return list(draw(driven.deformer, renderer, driven.camera, driven.codes, plates))


def filmed(driven: scenes.Driven, renderer: Renderer, config: AdaptConfig) -> None:
    """The same into an H.264 file."""
    with tempfile.TemporaryDirectory() as folder:
        write_video(Path(folder, "film.mp4"), iter(drawn(driven, renderer)), fps=FPS, crf=16)


def training_step(model: AdaptedAvatar, phase: Phase) -> Callable[[], None]:
    """One step of `phase`, as adaptation takes it."""
    state: dict[str, Run] = {}

    def step() -> None:
        # Made at the first step: it frees the phase's own parameters and freezes all others.
        if "run" not in state:
            state["run"] = Run(optimiser_for(model, phase), torch.Generator().manual_seed(0))
        one_step(model, state["run"], phase)

    return step


def measure(jobs: dict[int, Callable[[], None]], per_call: int, rounds: int) -> dict[str, float]:
    """Medians of a part's calls with each number of threads in turn, and what they make a second."""
    wall: dict[int, list[float]] = {threads: [] for threads in jobs}
    core = []
    for number in range(WARM_UP + rounds):
        for threads, job in jobs.items():
            torch.set_num_threads(threads)
            begun = time.process_time(), time.perf_counter()
            job()
            ended = time.process_time(), time.perf_counter()
            spent = [1e3 * (now - then) / per_call for now, then in zip(ended, begun, strict=True)]
            if number >= WARM_UP:
                wall[threads].append(spent[1])
                core += [spent[0]] if threads == 1 else []
    middle = {threads: statistics.median(samples) for threads, samples in wall.items()}
    row = {"core_ms": statistics.median(core)}
    row |= {f"wall_ms_{threads}": value for threads, value in middle.items()}
    return row | {f"per_second_{threads}": 1e3 / value for threads, value in middle.items()}


def table(result: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [f"machine: {result['machine']}", f"{'preset':12} {'part':8}" + cells(COLUMNS, WIDTH)]
    for row in result["rows"]:
        lines.append(f"{row['preset']:12} {row['part']:8}" + cells((row[key] for key in COLUMNS), WIDTH))
    return "\n".join(lines)
