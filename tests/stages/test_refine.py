"""Refinement that is switched off leaves the tracked poses."""

from dataclasses import fields

import numpy as np

from emotag.artifacts import Tracks
from emotag.config import RefineConfig
from emotag.stages import refine
from small_person import write_person


def test_no_steps_keep_every_pose_and_need_no_avatar(tmp_path, head):
    files = write_person(tmp_path, head, 0)
    nothing = tmp_path / "none"
    others = dict.fromkeys(("head", "subject", "avatar", "crop", "labels", "plate"), nothing)
    refine.run(**others, tracks=files["tracks"], out=tmp_path / "out.safetensors", config=RefineConfig(steps=0))
    before, after = (Tracks.load(file) for file in (files["tracks"], tmp_path / "out.safetensors"))
    for field in fields(Tracks):
        np.testing.assert_array_equal(getattr(after, field.name), getattr(before, field.name))
