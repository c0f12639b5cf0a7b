"""Milliseconds of the renderers' forms by scene and part, with the ratios that hold on other machines.

CPU time on one thread, all forms in turn within each round, medians over rounds. A part holds all that a caller waits
for: projection, spherical harmonics, drawing and autograd; `step` adds L1 + SSIM and the optimiser. `wall_ms_2` is on two
threads and means little where other work is on the machine (`load` says so).
"""

import gc
import logging
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import torch

from emotag.bench import limit, scenes
from emotag.bench.goals import goals
from emotag.errors import AssetMissing
from emotag.render import compiler, forms
from emotag.render.base import Renderer, Splats
from emotag.render.cpu import CpuRenderer
from emotag.render.kernels import Kernels
from emotag.render.photometric import Photometric, l1_ssim_torch
from emotag.render.reference import TorchRenderer

log = logging.getLogger(__name__)
# Gaussians, size and sigma in px: footprints and pairs a pixel are those of a trained head.
ELLIPSOIDS = {"60k_512": (60_000, 512, 2.3), "10k_256": (10_000, 256, 2.8), "2k_128": (2_000, 128, 3.2)}
SCENES = (*ELLIPSOIDS, "avatar")
PARTS = ("forward", "forward_backward", "step")
FIELDS = ("means", "quaternions", "scales", "opacities", "sh")
# The dense oracle takes gigabytes and minutes on larger scenes.
TORCH_SCENES = ("2k_128",)
WARM_START = (
    "import time, torch; start = time.perf_counter();"
    "from emotag.render.backends import load; from emotag.bench.scenes import ellipsoid;"
    "scene = ellipsoid('', 100, 32, 2.0); load({form!r}, 1).render(scene.splats, scene.camera);"
    "print(time.perf_counter() - start)"
)


def run(names: Iterable[str], rounds: int, files: scenes.AvatarFiles | None) -> dict[str, Any]:
    """Measure the scenes called `names`: `{machine, rows, ratios, skipped, warm_start_s, goals}`, ready for JSON."""
    torch.set_num_threads(1)
    available, skipped = _forms()
    result: dict[str, Any] = {"machine": machine(), "rows": [], "ratios": [], "skipped": skipped}
    rate = limit.operations_per_second() if "cpp" in available else None
    for name in names:
        if name == "avatar" and files is None:
            skipped.append("scene avatar: give --head, --subject, --avatar and --motion")
            continue
        scene = scenes.avatar(files) if name == "avatar" else scenes.ellipsoid(name, *ELLIPSOIDS[name])
        makers = dict(available) | ({"torch": None} if name in TORCH_SCENES else {})
        work = limit.work_of(scene) if rate else None
        for part in PARTS:
            log.info("scene %s, %s", name, part)
            rows = measure(scene, part, makers, rounds)
            for row in rows:
                bound = 1e3 * work.operations(part) / rate if rate and part != "step" else None
                row["limit_ratio"] = row["core_ms"] / bound if bound and row["backend"] != "torch" else None
            result["ratios"] += ratios(rows)
            result["rows"] += [{key: value for key, value in row.items() if key != "samples"} for row in rows]
    result["warm_start_s"] = {form: warm_start(form) for form in available}
    result["goals"] = goals(result)
    return result


def _forms() -> tuple[dict[str, Kernels], list[str]]:
    """The forms of the kernels that can be had here, and what is said of those that cannot."""
    try:
        return {"cpp": forms.cpp(), "numba": forms.numba()}, []
    except AssetMissing as error:
        return {"numba": forms.numba()}, [f"backend cpp: {error}"]


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    wanted = ("avx2", "fma", "avx512f", "avx512bw", "avx512vl")
    flags = [flag for flag in compiler.cpu_flags().split() if flag in wanted]
    return {
        "processor": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "flags": flags,
        "load": os.getloadavg()[0],
        "torch": torch.__version__,
    }


def measure(scene: scenes.Scene, part: str, makers: dict[str, Kernels | None], rounds: int) -> list[dict[str, Any]]:
    """One row a form; `makers` are its kernels by name, None for the torch oracle."""
    single = {name: job(scene, part, kernels, 1) for name, kernels in makers.items()}
    double = {name: job(scene, part, kernels, 2) for name, kernels in makers.items() if kernels}
    for call in (*single.values(), *double.values()):
        call()
    samples: dict[str, dict[str, list[float]]] = {name: {"core": [], "wall_1": [], "wall_2": []} for name in makers}
    for _ in range(rounds):
        for name, call in single.items():
            core, wall = timed(call)
            samples[name]["core"].append(core)
            samples[name]["wall_1"].append(wall)
            if name in double:
                samples[name]["wall_2"].append(timed(double[name])[1])
    return [
        {
            "backend": name,
            "scene": scene.name,
            "part": part,
            "core_ms": statistics.median(samples[name]["core"]),
            "wall_ms_1": statistics.median(samples[name]["wall_1"]),
            "wall_ms_2": statistics.median(samples[name]["wall_2"]) if name in double else None,
            "extra_mb": extra_mb(call) if name in double else None,
            "samples": samples[name],
        }
        for name, call in single.items()
    ]


def job(scene: scenes.Scene, part: str, kernels: Kernels | None, threads: int) -> Callable[[], None]:
    """What is timed: draw the scene, with gradients and an optimiser's step as `part` says."""
    renderer: Renderer = CpuRenderer(threads, kernels) if kernels else TorchRenderer()
    leaves = {name: getattr(scene.splats, name).detach().clone() for name in FIELDS}
    for leaf in leaves.values():
        leaf.requires_grad_(part != "forward")
    splats = Splats(**leaves, orientation=scene.splats.orientation)
    random = torch.Generator().manual_seed(0)
    target = torch.rand(1, scene.camera.height, scene.camera.width, 3, generator=random)
    if part == "forward":
        return lambda: renderer.render(splats, scene.camera)
    if part == "forward_backward":
        given = torch.randn(target.shape, generator=random), torch.randn(target.shape[:3], generator=random)

        def draw() -> None:
            frame = renderer.render(splats, scene.camera)
            torch.autograd.grad((frame.colour, frame.alpha), list(leaves.values()), given)

        return draw
    loss = Photometric(threads, kernels) if kernels else l1_ssim_torch
    # A rate too small to move the scene from what is being measured.
    optimiser = torch.optim.AdamW(leaves.values(), lr=1e-9, weight_decay=0.0, fused=True)

    def step() -> None:
        optimiser.zero_grad()
        l1, ssim = loss(renderer.render(splats, scene.camera).colour, target)
        (l1 + 0.2 * (1 - ssim)).backward()
        optimiser.step()

    return step


def timed(call: Callable[[], None]) -> tuple[float, float]:
    """CPU and wall milliseconds of one call, with no garbage collection in between."""
    gc.disable()
    core, wall = time.process_time(), time.perf_counter()
    call()
    spent = 1e3 * (time.process_time() - core), 1e3 * (time.perf_counter() - wall)
    gc.enable()
    return spent


def extra_mb(call: Callable[[], None]) -> float:
    """Peak of numpy's allocations during one call, results included (the kernels hold all they need in arrays)."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1e6


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Medians of what was measured in the same round: each form to cpp, and one thread to two."""
    first = rows[0]
    named = {"scene": first["scene"], "part": first["part"]}
    found = []
    for row in rows:
        if row["backend"] != first["backend"]:
            pairs = zip(row["samples"]["core"], first["samples"]["core"], strict=True)
            found.append(named | {"ratio": f"{row['backend']} / {first['backend']}", "value": _middle(pairs)})
        if row["samples"]["wall_2"]:
            pairs = zip(row["samples"]["wall_1"], row["samples"]["wall_2"], strict=True)
            found.append(named | {"ratio": f"{row['backend']} 1 / 2 threads", "value": _middle(pairs)})
    return found


def _middle(pairs: Iterable[tuple[float, float]]) -> float:
    return statistics.median(a / b for a, b in pairs)


def warm_start(form: str) -> float:
    """Seconds from torch's import to the first picture in a new process, with everything built."""
    command = [sys.executable, "-c", WARM_START.format(form=form)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def table(result: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [f"machine: {result['machine']}", f"{'backend':8} {'scene':8} {'part':17}" + cells(COLUMNS)]
    for row in result["rows"]:
        lines.append(f"{row['backend']:8} {row['scene']:8} {row['part']:17}" + cells(row[key] for key in COLUMNS))
    for row in result["ratios"]:
        lines.append(f"{row['scene']:8} {row['part']:17} {row['ratio']}: {row['value']:.2f}")
    for row in result["goals"]:
        lines.append(f"{'holds' if row['holds'] else 'MISSED'}: {row['goal']}: {row['found']:.2f}")
    starts = ", ".join(f"{form} {seconds:.2f}" for form, seconds in result["warm_start_s"].items())
    return "\n".join([*lines, f"warm start, s after torch's import: {starts}", *result["skipped"]])


COLUMNS = ("core_ms", "limit_ratio", "wall_ms_1", "wall_ms_2", "extra_mb")


def cells(values: Iterable[Any], width: int = 13) -> str:
    """A row of a table: text as it is, numbers with two digits, a dash for None."""
    return "".join(f"{'-' if v is None else v if isinstance(v, str) else f'{v:.2f}':>{width}}" for v in values)
