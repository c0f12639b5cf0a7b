"""Codes survive the way through the artifact."""

import numpy as np
import torch

from emotag.artifacts import Motion
from emotag.motion.codes import Codes


def test_round_trip(tmp_path):
    rng = torch.Generator().manual_seed(0)
    sizes = {
        "expression": 5,
        "jaw": 3,
        "neck": 3,
        "eyes": 6,
        "rotation": 3,
        "translation": 3,
        "gate": 1,
        "emotion": 7,
        "condition": 16,
    }
    codes = Codes(**{name: torch.rand(4, size, generator=rng) for name, size in sizes.items()})
    codes.to_motion("avatar", np.arange(10, 14), 0.4).save(tmp_path / "m.safetensors")
    motion = Motion.load(tmp_path / "m.safetensors")
    again = Codes.from_motion(motion)
    for name in sizes:
        torch.testing.assert_close(getattr(again, name), getattr(codes, name), rtol=0, atol=0)
    assert motion.frames == [10, 11, 12, 13] and len(again[1:3]) == 2
    assert torch.equal(again.replaced(jaw=torch.zeros(4, 3)).jaw, torch.zeros(4, 3))
