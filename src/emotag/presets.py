"""Scale presets: what changes with the size of the machine. They stand below config.yaml, so any value can be
set there.

`laptop` is the defaults of the models: two cores and no GPU. `paper` is EmoTaG's own scale (iterations, 60K Gaussians,
512 px, learning rates) with the paper's own parts, which must be got by hand (docs/providers.md).
"""

import shutil
import subprocess
from pathlib import Path
from typing import Any

PRESETS: dict[str, dict[str, dict[str, Any]]] = {
    "laptop": {},
    "workstation": {
        "pretrain": {
            "iterations": 20_000,
            "rendered": {"gaussians": 20_000, "size_px": 256, "static_iterations": 1_000},
        },
        "adapt": {"gaussians": 40_000, "size_px": 512, "static_iterations": 1_000, "iterations": 6_000, "sh_degree": 3},
        "geometry": {"size_px": 256},
    },
    "paper": {
        "pretrain": {
            "iterations": 20_000,
            "windows": "tokens",
            "rendered": {
                "gaussians": 60_000,
                "size_px": 512,
                "static_iterations": 1_000,
                "iterations": 250_000,
                "batch_frames": 1,
                "sh_degree": 2,
                "learning_rate": 5e-3,
                "weight_scale": 1.0,
                "checkpoint_every": 2_000,
            },
        },
        "adapt": {
            "gaussians": 60_000,
            "size_px": 512,
            "static_iterations": 3_000,
            "iterations": 20_000,
            "sh_degree": 3,
            "learning_rate": 5e-4,
        },
        "head": {"model": "flame2023"},
        "track": {"provider": "vhap"},
        "geometry": {"size_px": 512, "provider": "sapiens"},
        "speech": {"provider": "wav2vec2"},
        "emotion": {"provider": "deepface"},
        "action_units": {"provider": "openface", "blink_limit": 5},
        "identity": {"provider": "adaface"},
        "measure": {"lpips": True, "syncnet": True},
        # AdaFace has to see faces.
        "corpus": {"synthetic": False},
    },
}


def has_cuda() -> bool:
    """Whether this machine has a usable NVIDIA device, found out without importing torch."""
    if not Path("/proc/driver/nvidia/version").exists():
        return False
    program = shutil.which("nvidia-smi")
    if program is None:
        return True
    listed = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    return listed.returncode == 0 and "GPU" in listed.stdout


def choose(cuda: bool) -> str:
    """The preset that `auto` stands for."""
    return "workstation" if cuda else "laptop"
