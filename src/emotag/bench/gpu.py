"""Frames and iterations a second of the gsplat back end, by scene, part and frames a call.

Wall time of a call that ends with a synchronisation of the device, medians over rounds; `kernel_ms` is what the profiler
saw the device work in one call, so `wall_over_kernel` well above 1 means that the device waits for Python. Parts: `render`,
from Gaussians to uint8 frames, both on the device; `step`, drawing, L1 + SSIM, gradients and AdamW on the device;
`pipeline` (avatar only), from codes to uint8 frames, both in main memory, as the render stage draws them.
"""

import logging
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from emotag.bench import scenes
from emotag.bench.raster import ELLIPSOIDS, FIELDS, cells
from emotag.render import compose
from emotag.render.base import Renderer, Splats
from emotag.render.gsplat import GsplatRenderer
from emotag.render.photometric import l1_ssim_torch

log = logging.getLogger(__name__)
SCENES = ("60k_512", "10k_256", "avatar")
# Between the frames of a batch, so that no two are alike.
SHIFT_M = 1e-3
WARM_UP = 3
TOP_KERNELS = 5
COLUMNS, WIDTH = ("wall_ms", "calls_per_s", "frames_per_s", "kernel_ms", "wall_over_kernel"), 17


@dataclass(frozen=True)
class Bench:
    """A renderer and the device on which its inputs and outputs lie."""

    renderer: Renderer
    device: str

    def synchronise(self) -> None:
        """Wait until the device has done all that it was given."""
        if self.device == "cuda":
            torch.cuda.synchronize()


def run(names: Iterable[str], batches: Iterable[int], rounds: int, files: scenes.AvatarFiles | None) -> dict[str, Any]:
    """Measure the scenes called `names` at each of `batches` frames a call: `{machine, rows, ratios, skipped}`.

    Raises:
        AssetMissing: there is no GPU or no gsplat.
    """
    bench = Bench(GsplatRenderer(), "cuda")
    result: dict[str, Any] = {"machine": machine(), "rows": [], "ratios": [], "skipped": []}
    for name in names:
        if name == "avatar" and files is None:
            result["skipped"].append("scene avatar: give --head, --subject, --avatar and --motion")
            continue
        scene = scenes.avatar(files) if name == "avatar" else scenes.ellipsoid(name, *ELLIPSOIDS[name])
        jobs = {"render": render_job, "step": step_job}
        for part, make in jobs.items():
            log.info("scene %s, %s", name, part)
            result["rows"] += [measure(bench, scene.name, part, make(bench, scene, n), n, rounds) for n in batches]
        if name == "avatar":
            driven = scenes.driven(files)
            result["rows"] += [
                measure(bench, name, "pipeline", pipeline_job(bench, driven, n), n, rounds) for n in batches
            ]
    result["ratios"] = ratios(result["rows"])
    return result


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    import gsplat

    return {
        "gpu": torch.cuda.get_device_name(),
        "cuda": torch.version.cuda,
        "torch": torch.__version__,
        "gsplat": gsplat.__version__,
    }


def frames_of(scene: scenes.Scene, leaves: dict[str, Tensor], batch: int) -> Splats:
    """`batch` frames of one scene's Gaussians, each a little to the side of the one before."""
    side = SHIFT_M * torch.arange(batch, device=leaves["means"].device)[:, None, None]
    spread = {name: leaves[name].expand(batch, *leaves[name].shape[1:]) for name in FIELDS if name != "sh"}
    means = spread.pop("means") + side * torch.tensor([1.0, 0.0, 0.0], device=side.device)
    turn = scene.splats.orientation
    orientation = None if turn is None else turn.to(side.device).expand(batch, 3, 3)
    return Splats(means=means, sh=leaves["sh"], orientation=orientation, **spread)


def render_job(bench: Bench, scene: scenes.Scene, batch: int) -> Callable[[], Any]:
    """Draw `batch` frames to uint8 without gradients."""
    leaves = {name: getattr(scene.splats, name).detach().to(bench.device) for name in FIELDS}
    splats = frames_of(scene, leaves, batch)

    def job() -> Tensor:
        with torch.inference_mode():
            return (bench.renderer.render(splats, scene.camera).colour.clamp(0, 1) * 255).round().to(torch.uint8)

    return job


def step_job(bench: Bench, scene: scenes.Scene, batch: int) -> Callable[[], Any]:
    """One iteration of training on `batch` frames that share their Gaussians."""
    leaves = {name: getattr(scene.splats, name).detach().to(bench.device).requires_grad_() for name in FIELDS}
    size = (batch, scene.camera.height, scene.camera.width, 3)
    target = torch.rand(size, generator=torch.Generator().manual_seed(0)).to(bench.device)
    # A rate too small to move the scene from what is being measured.
    optimiser = torch.optim.AdamW(leaves.values(), lr=1e-9, weight_decay=0.0, fused=True)

    def job() -> None:
        optimiser.zero_grad()
        drawn = bench.renderer.render(frames_of(scene, leaves, batch), scene.camera).colour
        l1, ssim = l1_ssim_torch(drawn, target)
        (l1 + 0.2 * (1 - ssim)).backward()
        optimiser.step()

    return job


def pipeline_job(bench: Bench, driven: scenes.Driven, batch: int) -> Callable[[], Any]:
    """Codes of an avatar's first `batch` frames to uint8 frames, as the render stage makes them."""
    codes = driven.codes[:batch]

    def job() -> Any:
        with torch.inference_mode():
            return compose.to_bytes(bench.renderer.render(driven.deformer(codes), driven.camera).colour)

    return job


def measure(bench: Bench, scene: str, part: str, call: Callable[[], Any], batch: int, rounds: int) -> dict[str, Any]:
    """One row: the call's wall time and what follows from it."""
    for _ in range(WARM_UP):
        call()
    bench.synchronise()
    samples = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        bench.synchronise()
        samples.append(1e3 * (time.perf_counter() - start))
    wall = statistics.median(samples)
    kernels = kernel_times(bench, call) if bench.device == "cuda" else {}
    busy = sum(kernels.values())
    return {
        "scene": scene,
        "part": part,
        "batch": batch,
        "wall_ms": wall,
        "calls_per_s": 1e3 / wall,
        "frames_per_s": 1e3 * batch / wall,
        "kernel_ms": busy or None,
        "wall_over_kernel": wall / busy if busy else None,
        "kernels": dict(sorted(kernels.items(), key=lambda item: -item[1])[:TOP_KERNELS]),
    }


def kernel_times(bench: Bench, call: Callable[[], Any]) -> dict[str, float]:
    """Milliseconds on the device by kernel, of one call."""
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as seen:
        call()
        bench.synchronise()
    on_device = (event for event in seen.key_averages() if event.device_type == DeviceType.CUDA)
    return {event.key: event.self_device_time_total / 1e3 for event in on_device}


def ratios(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Time a frame in each larger batch over that in the smallest, by scene and part."""
    found = []
    for row in rows:
        same = [other for other in rows if (other["scene"], other["part"]) == (row["scene"], row["part"])]
        least = min(same, key=lambda other: other["batch"])
        if row["batch"] > least["batch"]:
            named = {"scene": row["scene"], "part": row["part"]}
            value = least["frames_per_s"] / row["frames_per_s"]
            found.append(named | {"ratio": f"a frame, batch {row['batch']} / {least['batch']}", "value": value})
    return found


def table(result: dict[str, Any]) -> str:
    """The figures as text."""
    lines = [f"machine: {result['machine']}", f"{'scene':8} {'part':9} {'batch':>5}" + cells(COLUMNS, WIDTH)]
    for row in result["rows"]:
        lines.append(f"{row['scene']:8} {row['part']:9} {row['batch']:5}" + cells((row[key] for key in COLUMNS), WIDTH))
    for row in result["ratios"]:
        lines.append(f"{row['scene']:8} {row['part']:9} {row['ratio']}: {row['value']:.2f}")
    return "\n".join([*lines, *result["skipped"]])
