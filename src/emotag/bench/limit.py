"""The instruction limit: the time in which a scene's vector operations could be issued at the best rate of this machine.

Counts are those of vectors of 16 floats. A 4 x 4 block of pixels costs at least 27 operations to blend and 52 to
unblend; a (Gaussian, tile) pair costs about 67 to project, sort and list and 42 to gather. The rate is that of a loop of
independent fused multiply-adds, measured at the same vector width as the kernels.
"""

import time
from dataclasses import dataclass

import numpy as np
import torch

from emotag.bench.scenes import Scene
from emotag.render import native
from emotag.render.forms import cpp
from emotag.render.scene import Views, build_scene
from emotag.render.workers import Workers

BLEND, UNBLEND, LIST, GATHER = 27, 52, 67, 42
ROUNDS = 200_000


@dataclass(frozen=True)
class Work:
    """`pairs` of Gaussian and tile; `blocks` of 4 x 4 pixels that are evaluated before their pixels are done."""

    pairs: int
    blocks: float

    def operations(self, part: str) -> float:
        """Vector operations of `forward` or `forward_backward`."""
        forward = BLEND * self.blocks + LIST * self.pairs
        return forward if part == "forward" else forward + UNBLEND * self.blocks + GATHER * self.pairs


def work_of(scene: Scene) -> Work:
    """Count what drawing the scene takes.

    Raises:
        AssetMissing: the C++ kernels cannot be had here.
    """
    splats, camera = scene.splats, scene.camera
    arrays = {
        name: getattr(splats, name).detach().contiguous().numpy()
        for name in ("means", "quaternions", "scales", "opacities", "sh")
    }
    turn = torch.eye(3)[None] if splats.orientation is None else splats.orientation
    nothing = np.zeros((*splats.opacities.shape, 0), np.float32)
    arrays |= {"extras": nothing, "turn": turn.contiguous().numpy()}
    built = build_scene(cpp(), Workers(1), Views.of(camera.shared(), antialiased=False), arrays)
    tiles = len(built.tile_starts) - 1
    blocks = np.zeros(tiles)
    native.load_measures()["count_range"](
        0, tiles, built.columns, built.rows, built.tile_starts, built.pair_list, built.gaussian_list,
        built.pair_masks, built.ellipses, built.channels.ravel(), built.channels.shape[1], camera.height,
        camera.width, blocks,
    )  # fmt: skip
    return Work(len(built.pair_list), float(blocks.sum()))


def operations_per_second() -> float:
    """Vectors of 16 floats that this machine can multiply and add in a second on one thread (best of a few tries).

    Raises:
        AssetMissing: the C++ kernels cannot be had here.
    """
    level = cpp().name.removeprefix("cpp-")
    width = {"avx512": 16, "avx2": 8, "portable": 4}[level]
    run = native.load_measures(level)["multiply_add"]
    values = np.linspace(0.1, 1.0, 18, dtype=np.float32)
    best = 0.0
    for _ in range(7):
        start = time.thread_time()
        run(ROUNDS, values.copy())
        best = max(best, 16 * ROUNDS * width / 16 / (time.thread_time() - start))
    return best
