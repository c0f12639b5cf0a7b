"""LPIPS against numpy, from files with the published names and shapes."""

import numpy as np
import pytest
import torch
from numpy.lib.stride_tricks import sliding_window_view

from emotag.errors import ArtifactMismatch, AssetMissing
from emotag.metrics import lpips

SHAPES = {0: (64, 3, 11, 11), 3: (192, 64, 5, 5), 6: (384, 192, 3, 3), 8: (256, 384, 3, 3), 10: (256, 256, 3, 3)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Both in torch's old format, as the originals are; the trunk with its classifier, which is not used."""
    folder = tmp_path_factory.mktemp("lpips")
    generator = torch.Generator().manual_seed(0)
    trunk = {}
    for number, shape in SHAPES.items():
        deviation = (2 / np.prod(shape[1:])) ** 0.5
        trunk[f"features.{number}.weight"] = torch.randn(shape, generator=generator) * deviation
        trunk[f"features.{number}.bias"] = torch.randn(shape[0], generator=generator) * 0.1
    trunk["classifier.6.bias"] = torch.zeros(1000)
    heads = {
        f"lin{i}.model.1.weight": torch.rand(1, shape[0], 1, 1, generator=generator)
        for i, shape in enumerate(SHAPES.values())
    }
    for name, content in (("trunk.pth", trunk), ("heads.pth", heads)):
        torch.save(content, folder / name, _use_new_zipfile_serialization=False)
    return folder, trunk, heads


def convolve(x, weight, bias, stride, padding):
    """[C, H, W] to [C', H', W'] with ReLU, by windows."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(x, weight.shape[2:], (1, 2))[:, ::stride, ::stride]
    out = np.einsum("chwij,ocij->ohw", windows, weight, optimize=True) + bias[:, None, None]
    return np.maximum(out, 0)


def by_hand(trunk, picture):
    x = picture.astype(np.float64).transpose(2, 0, 1) / 127.5 - 1
    x = (x - np.array([-0.030, -0.088, -0.188])[:, None, None]) / np.array([0.458, 0.448, 0.450])[:, None, None]
    maps = []
    for number in SHAPES:
        if number in (3, 6):
            x = sliding_window_view(x, (3, 3), (1, 2))[:, ::2, ::2].max((3, 4))
        weight, bias = (trunk[f"features.{number}.{kind}"].double().numpy() for kind in ("weight", "bias"))
        x = convolve(x, weight, bias, 4 if number == 0 else 1, {0: 2, 3: 2}.get(number, 1))
        maps.append(x / (np.sqrt((x**2).sum(0)) + 1e-10))
    return maps


def test_equals_the_formula(files):
    folder, trunk, heads = files
    rng = np.random.default_rng(0)
    truth, other = rng.integers(0, 255, (2, 70, 86, 3)).astype(np.uint8)
    pairs = zip(by_hand(trunk, truth), by_hand(trunk, other), heads.values(), strict=True)
    expected = sum((((a - b) ** 2) * head.double().numpy()[0]).sum(0).mean() for a, b, head in pairs)
    network = lpips.load(folder / "trunk.pth", folder / "heads.pth")
    same, different = network.distances(truth, [truth, other])
    assert same == 0 and different == pytest.approx(expected, rel=1e-4)
    assert network.distances(other, [truth])[0] == pytest.approx(different, rel=1e-5)


def test_smallest_picture(files):
    folder = files[0]
    network = lpips.load(folder / "trunk.pth", folder / "heads.pth")
    picture = np.zeros((lpips.SMALLEST_PX,) * 2 + (3,), np.uint8)
    assert network.distances(picture, [picture]) == [0.0]


def test_files_that_are_missing_or_swapped_are_refused(files, tmp_path):
    folder = files[0]
    with pytest.raises(AssetMissing, match="no.pth"):
        lpips.load(tmp_path / "no.pth", folder / "heads.pth")
    with pytest.raises(ArtifactMismatch, match="not AlexNet and the heads"):
        lpips.load(folder / "heads.pth", folder / "trunk.pth")
