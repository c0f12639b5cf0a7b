"""Five-point alignment on known warps, and AdaFace's network from a checkpoint as its authors write it."""

import argparse

import cv2
import numpy as np
import pytest
import torch
from skimage.transform import SimilarityTransform, estimate_transform

from emotag.artifacts import Landmarks
from emotag.errors import ArtifactMismatch
from emotag.identity import adaface
from emotag.identity.alignment import REFERENCE, aligned_face, five_points, similarity
from emotag.io.video import write_video
from emotag.stages import identity


def mesh_at(points: np.ndarray) -> np.ndarray:
    """A face mesh whose five points are these (px, from the corner of the first pixel)."""
    mesh = np.zeros((478, 3))
    width = np.array([4.0, 0.0])
    for eye, corners in zip(points[:2], ((33, 133), (263, 362)), strict=True):
        mesh[list(corners), :2] = eye - width, eye + width
    mesh[[1, 61, 291], :2] = points[2:]
    return mesh


def test_similarity_is_scikit_images():
    rng = np.random.default_rng(0)
    for _ in range(20):
        source, target = rng.normal(size=(2, 5, 2)) * 50
        ours, theirs = similarity(source, target), estimate_transform("similarity", source, target)
        np.testing.assert_allclose(ours, theirs.params[:2], atol=1e-8)


@pytest.mark.parametrize(("scale", "angle", "shift"), [(1, 0, (0, 0)), (2.5, 0.4, (130, 30)), (1.6, -0.7, (90, 200))])
def test_a_known_warp_is_undone(scale, angle, shift):
    """An aligned picture, warped into a frame, comes back from there."""
    yy, xx = np.mgrid[:112, :112]
    aligned = np.stack([127 + 100 * np.sin(xx / 9), 127 + 100 * np.cos(yy / 11), 127 + 90 * np.sin((xx + yy) / 14)], -1)
    known = SimilarityTransform(scale=scale, rotation=angle, translation=shift)
    frame = cv2.warpAffine(aligned.astype(np.uint8), known.params[:2], (520, 520), flags=cv2.INTER_CUBIC)
    back = aligned_face(frame, mesh_at(known(REFERENCE) + 0.5))
    inside = np.s_[8:104, 8:104]
    assert np.abs(back[inside].astype(float) - aligned[inside]).mean() < 2.5


def test_five_points_do_not_follow_the_gaze():
    mesh = mesh_at(REFERENCE)
    np.testing.assert_allclose(five_points(mesh), REFERENCE)
    moved = mesh.copy()
    moved[468:478] += 5
    np.testing.assert_array_equal(five_points(moved), five_points(mesh))


def test_input_is_bgr_in_minus_one_to_one():
    face = np.zeros((112, 112, 3), np.uint8)
    face[..., 0] = 255
    tensor = adaface.network_input(face)
    assert tensor.shape == (3, 112, 112)
    assert tensor[:2].eq(-1).all() and tensor[2].eq(1).all()


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A Lightning checkpoint: the network under `model.`, the head beside it, objects that are no tensors."""
    torch.manual_seed(0)
    network = adaface.IR101().eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm1d | torch.nn.BatchNorm2d):
            module.running_var.uniform_(0.8, 1.2)
            module.running_mean.normal_(0, 0.05)
    state = {f"model.{name}": tensor for name, tensor in network.state_dict().items()} | {
        "head.kernel": torch.zeros(512, 5)
    }
    path = tmp_path_factory.mktemp("adaface") / "adaface_ir101_webface12m.ckpt"
    torch.save({"state_dict": state, "epoch": 25, "hyper_parameters": argparse.Namespace(arch="ir_101")}, path)
    return path, network


def test_names_and_shapes_are_the_published_ones(checkpoint):
    """net.py's IR_101: 49 blocks; the last group ends at 7 x 7."""
    state = checkpoint[1].state_dict()
    assert state["input_layer.0.weight"].shape == (64, 3, 3, 3) and state["input_layer.2.weight"].shape == (64,)
    assert state["body.3.shortcut_layer.0.weight"].shape == (128, 64, 1, 1)
    assert state["body.16.res_layer.4.weight"].shape == (256, 256, 3, 3)
    assert state["body.48.res_layer.5.running_mean"].shape == (512,) and "body.49.res_layer.0.weight" not in state
    assert "body.0.shortcut_layer.0.weight" not in state  # equal width: every second pixel
    assert state["output_layer.3.weight"].shape == (512, 25088) and "output_layer.4.weight" not in state
    assert sum(tensor.numel() for tensor in checkpoint[1].parameters()) == pytest.approx(65.15e6, rel=2e-3)


def test_mean_of_unit_features_not_normalised_again(checkpoint):
    path, original = checkpoint
    network = adaface.load(path)
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (112, 112, 3), np.uint8) for _ in range(2)]
    points = np.stack([mesh_at(REFERENCE + 0.5)] * 2)
    with torch.no_grad():
        expected = original(torch.stack([adaface.network_input(frame) for frame in frames]))
    np.testing.assert_allclose(expected.norm(dim=1), 1, atol=1e-5)
    feature = adaface.embedding(network, frames, points)
    np.testing.assert_allclose(feature, expected.mean(0).numpy(), atol=1e-5)
    assert np.linalg.norm(feature) < 1


def test_other_checkpoints_are_refused(tmp_path):
    torch.save({"weights": {}}, tmp_path / "a.ckpt")
    with pytest.raises(ArtifactMismatch, match="no state_dict"):
        adaface.load(tmp_path / "a.ckpt")
    torch.save({"state_dict": {"model.x": torch.zeros(1)}}, tmp_path / "b.ckpt")
    with pytest.raises(ArtifactMismatch, match="not AdaFace's IR-101"):
        adaface.load(tmp_path / "b.ckpt")


def test_stage_looks_at_the_chosen_frames_alone(tmp_path, monkeypatch):
    """Each frame has its own brightness; the network in place of IR-101 tells it."""
    levels = np.linspace(40, 220, 20).astype(np.uint8)
    write_video(tmp_path / "crop.mp4", [np.full((112, 112, 3), level, np.uint8) for level in levels], crf=0)
    points = np.stack([mesh_at(REFERENCE + 0.5)] * 20).astype(np.float32)
    Landmarks(points, np.ones(20), np.zeros(20, bool), 112, 112).save(tmp_path / "landmarks.safetensors")
    monkeypatch.setattr(adaface, "load", lambda path: lambda x: x.mean((2, 3)))
    feature = identity.seen(tmp_path / "crop.mp4", tmp_path / "landmarks.safetensors", tmp_path / "net", [4, 9, 15])
    np.testing.assert_allclose(feature, np.full(3, (levels[[4, 9, 15]] / 127.5 - 1).mean()), atol=0.03)
