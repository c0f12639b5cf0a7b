"""Codes survive the way through the artifact."""

from dataclasses import fields

import numpy as np
import torch

from emotag.artifacts import Motion
from emotag.motion.codes import Codes


def test_round_trip(tmp_path, random_codes):
    codes = random_codes(4, 5, 16, 0)
    codes.to_motion("avatar", np.arange(10, 14), 0.4).save(tmp_path / "m.safetensors")
    motion = Motion.load(tmp_path / "m.safetensors")
    again = Codes.from_motion(motion)
    for field in fields(Codes):
        torch.testing.assert_close(getattr(again, field.name), getattr(codes, field.name), rtol=0, atol=0)
    assert motion.frames == [10, 11, 12, 13] and len(again[1:3]) == 2
    assert torch.equal(again.replaced(jaw=torch.zeros(4, 3)).jaw, torch.zeros(4, 3))


def test_shifted_moves_the_pose_alone(random_codes):
    codes, turn, move = random_codes(4, 5, 16, 1), torch.rand(4, 3), torch.rand(4, 3)
    shifted = codes.shifted(turn, move)
    torch.testing.assert_close(shifted.rotation - codes.rotation, turn)
    torch.testing.assert_close(shifted.translation - codes.translation, move)
    for name in ("expression", "jaw", "neck", "eyes", "gate", "emotion", "condition"):
        assert torch.equal(getattr(shifted, name), getattr(codes, name))
