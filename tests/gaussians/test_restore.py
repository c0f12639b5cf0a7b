import numpy as np
import pytest

from emotag.artifacts import Avatar
from emotag.gaussians.restore import antialiased


@pytest.mark.parametrize(("architecture", "expected"), [({}, False), ({"antialiased": True}, True)])
def test_an_avatar_is_drawn_as_it_was_trained(tmp_path, architecture, expected):
    """Through the file; avatars from before there was a choice were drawn plain."""
    empty = {"a": np.zeros(1, np.float32)}
    avatar = Avatar("head", [], empty, empty, empty, empty, architecture, "someone", "adain", 0)
    avatar.save(tmp_path / "avatar.safetensors", {})
    assert antialiased(Avatar.load(tmp_path / "avatar.safetensors")) is expected
