"""Sapiens' TorchScript files: small networks in their place, and the stage that reads them."""

import numpy as np
import pytest
import torch
from torch import nn

from emotag.artifacts import Geometry
from emotag.config import GeometryConfig
from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.io.video import write_gray, write_video
from emotag.stages import geometry
from emotag.tracking import sapiens
from emotag.tracking.regions import INDEX
from emotag.training.geometry_loss import depth_loss, normal_loss


class Small(nn.Module):
    """Picks channels of the input at half its size, times `weights`."""

    def __init__(self, weights):
        super().__init__()
        self.mix = nn.Conv2d(3, len(weights), 1, bias=False)
        self.mix.weight.data = torch.tensor(weights, dtype=torch.float32)[:, :, None, None]

    def forward(self, x):
        return nn.functional.avg_pool2d(self.mix(x), 2)


def script(path, weights):
    torch.jit.save(torch.jit.trace(Small(weights), torch.zeros(1, 3, 1024, 768)), str(path))
    return path


def test_input_is_normalised_rgb_and_the_answer_has_the_size_asked_for(tmp_path):
    network = sapiens.load(script(tmp_path / "d.pt2", [[1, 0, 0]]))
    frame = np.zeros((64, 64, 3), np.uint8)
    frame[:, 32:, 0] = 255
    answer = sapiens.predict(network, frame, 1, 16, tmp_path)
    assert answer.shape == (16, 16, 1)
    np.testing.assert_allclose(answer[:, :7, 0], -123.5 / 58.5, rtol=1e-4)
    np.testing.assert_allclose(answer[:, 9:, 0], (255 - 123.5) / 58.5, rtol=1e-4)


def test_signs_are_those_of_the_mesh():
    rng = np.random.default_rng(0)
    mesh = sapiens.unit(rng.normal(size=(2, 8, 8, 3)))
    turned = mesh * [1, -1, -1] + rng.normal(0, 0.2, mesh.shape)
    assert sapiens.axis_signs(turned, mesh, np.ones((2, 8, 8), bool)).tolist() == [1, -1, -1]


def test_other_files_are_refused(tmp_path):
    with pytest.raises(AssetMissing, match="by_hand"):
        sapiens.load(tmp_path / "d.pt2")
    (tmp_path / "d.pt2").write_bytes(b"no network")
    with pytest.raises(ArtifactMismatch, match="no TorchScript"):
        sapiens.load(tmp_path / "d.pt2")
    normal = sapiens.load(script(tmp_path / "n.pt2", np.eye(3).tolist()))
    with pytest.raises(ArtifactMismatch, match="swapped"):
        sapiens.predict(normal, np.zeros((8, 8, 3), np.uint8), 1, 8, tmp_path / "n.pt2")


def test_the_stage_makes_priors_on_which_the_loss_fires(tmp_path, monkeypatch):
    """Eq. 14 has something to compare with: hair is inside the mask, and another surface has a loss with a gradient."""
    size, frames = 32, 2
    rng = np.random.default_rng(0)
    pictures = np.kron(rng.integers(30, 220, (frames, 8, 8, 3)), np.ones((1, 8, 8, 1))).astype(np.uint8)
    write_video(tmp_path / "crop.mp4", list(pictures), crf=4)
    labels = np.zeros((frames, 64, 64), np.uint8)
    labels[:, 8:24] = INDEX["hair"]
    labels[:, 24:56] = INDEX["skin"]
    write_gray(tmp_path / "labels.mkv", labels)
    mesh = np.broadcast_to([0.0, 0.6, 0.8], (size, size, 3))
    monkeypatch.setattr(geometry.models, "load", lambda path: None)
    monkeypatch.setattr(geometry.Tracks, "load", lambda path: type("T", (), {"expression": np.zeros((frames, 1))}))
    monkeypatch.setattr(geometry, "adaptation_part", lambda count, start_s, seconds: (0, frames))
    surface = (np.ones((size, size)), mesh, np.ones((size, size), bool))
    monkeypatch.setattr(geometry, "surface", lambda head, tracks, index, size_px: surface)
    networks = [script(tmp_path / "d.pt2", [[1, 0, 0]]), script(tmp_path / "n.pt2", np.eye(3).tolist())]
    common = {
        "head": tmp_path, "tracks": tmp_path, "labels": tmp_path / "labels.mkv", "start_s": 0.0, "seconds": 5.0,
        "out": tmp_path / "g.safetensors",
    }  # fmt: skip
    config = GeometryConfig(provider="sapiens", size_px=size)
    geometry.run(appearance=[tmp_path / "crop.mp4", *networks], config=config, **common)
    made = Geometry.load(tmp_path / "g.safetensors")
    assert made.provider == "sapiens" and made.depth.shape == (frames, size, size)
    assert made.mask[:, 4:28].all() and not made.mask[:, :4].any()
    assert made.depth.astype(float).std() > 0.3
    length = np.linalg.norm(made.normal.astype(float) / 127, axis=-1)
    assert np.abs(length[made.mask] - 1).max() < 0.1
    assert (made.normal[made.mask][:, 1:].astype(float) * [0.6, 0.8]).mean() > 0
    valid = torch.from_numpy(made.mask)
    drawn = torch.rand(frames, size, size, requires_grad=True)
    loss = depth_loss(drawn, torch.from_numpy(made.depth.astype(np.float32)), valid)
    tilted = torch.from_numpy(np.broadcast_to(mesh, (frames, size, size, 3)).copy()).float()
    assert loss > 0.1 and normal_loss(tilted, torch.from_numpy(made.normal.astype(np.float32)), valid) > 0.01
    loss.backward()
    assert drawn.grad[valid].abs().max() > 0

    geometry.run(appearance=[], config=GeometryConfig(size_px=size), **common)
    bare = Geometry.load(tmp_path / "g.safetensors")
    assert bare.provider == "mesh" and bare.mask[:, 12:28].all() and not bare.mask[:, :12].any()
